"""Where settings and vocabularies come from: names, folders, handles, KerasHub's objects."""
