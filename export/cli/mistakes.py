"""Which errors are the user's to correct: they are one line on the terminal, others are a traceback."""


def is_users(error: BaseException) -> bool:
    """Whether the message was written for a user: our own checks, missing files and packages, a full disk,
    wrong options.
    """
    return (
        isinstance(error, ValueError | OSError)
        or (isinstance(error, ImportError) and str(error).startswith("`"))
        or hasattr(error, "format_message")
    )


def sentence(error: BaseException) -> str:
    """One line for the user; of a wrong option also which help to ask for."""
    if not hasattr(error, "format_message"):
        return " ".join(str(error).split("\n"))
    context = getattr(error, "ctx", None)
    help_ = f" See `{context.command_path} --help`." if context else ""
    return f"{error.format_message().rstrip('.')}.{help_}"
