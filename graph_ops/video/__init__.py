"""Videos to the frames that are taken of them, when each of these is shown, and their patches."""
