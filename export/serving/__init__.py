"""An embedded server for development that answers as TF Serving does, over gRPC and REST, and a client of
either.
"""
