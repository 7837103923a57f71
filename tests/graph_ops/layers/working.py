"""What a worker process does, where the process that starts it can name it."""


def token_ids(preprocessor, text):
    return preprocessor.generate_preprocess(text)["token_ids"].numpy().tolist()
