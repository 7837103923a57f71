"""Runs a SavedModel through TensorFlow's C API: ctypes and NumPy, no `import tensorflow`. The runtime that TF
Serving embeds.

    python c_api.py < JOB > ANSWER

JOB is a pickle of `framework` and `libraries` (paths), `folder`, and `calls`: for each, `inputs` and
`outputs` as {graph tensor: array} and {name: graph tensor}. ANSWER is one of each call's outputs by name.
"""

import ctypes
import pickle
import sys

import numpy as np

sys.modules["tensorflow"] = None  # type: ignore[assignment]  # any import of it fails

STRING = 7  # TF_STRING of tf_datatype.h, as below
DTYPES: dict[np.dtype, int] = {
    np.dtype(np.float32): 1,
    np.dtype(np.int32): 3,
    np.dtype(np.uint8): 4,
    np.dtype(np.int64): 9,
    np.dtype(np.bool_): 10,
}
STRING_BYTES = 24  # sizeof(TF_TString)


class Output(ctypes.Structure):
    """TF_Output of c_api.h."""

    _fields_ = (("oper", ctypes.c_void_p), ("index", ctypes.c_int))


class Buffer(ctypes.Structure):
    """TF_Buffer of tf_buffer.h."""

    _fields_ = (("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("deallocator", ctypes.c_void_p))


POINTERS = (
    *(
        "TF_NewStatus",
        "TF_NewGraph",
        "TF_NewSessionOptions",
        "TF_LoadSessionFromSavedModel",
        "TF_GraphOperationByName",
        "TF_LoadLibrary",
    ),
    *("TF_AllocateTensor", "TF_TensorData", "TF_StringGetDataPointer"),
)


class Runtime:
    """The library with its result types, and one status."""

    def __init__(self, framework, libraries):
        self.lib = ctypes.CDLL(framework, mode=ctypes.RTLD_GLOBAL)
        for name in POINTERS:
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.lib.TF_Message.restype = ctypes.c_char_p
        self.lib.TF_Dim.restype = ctypes.c_int64
        self.lib.TF_StringGetSize.restype = ctypes.c_size_t
        self.status = ctypes.c_void_p(self.lib.TF_NewStatus())
        for path in libraries:
            self.lib.TF_LoadLibrary(path.encode(), self.status)
            self.check()

    def check(self):
        """Raises the message of a status that is not good."""
        if self.lib.TF_GetCode(self.status):
            raise RuntimeError(self.lib.TF_Message(self.status).decode())

    def load(self, folder):
        """Loads the export in a folder."""
        self.graph = ctypes.c_void_p(self.lib.TF_NewGraph())
        tags = (ctypes.c_char_p * 1)(b"serve")
        options = ctypes.c_void_p(self.lib.TF_NewSessionOptions())
        session = self.lib.TF_LoadSessionFromSavedModel(
            options, None, folder.encode(), tags, 1, self.graph, None, self.status
        )
        self.check()
        self.session = ctypes.c_void_p(session)

    def run(self, inputs, outputs):
        """Outputs by name, from inputs by graph tensor."""
        given = (Output * len(inputs))(*map(self.output, inputs))
        tensors = (ctypes.c_void_p * len(inputs))(*(self.tensor(array) for array in inputs.values()))
        wanted = (Output * len(outputs))(*map(self.output, outputs.values()))
        found = (ctypes.c_void_p * len(outputs))()
        arguments = (given, tensors, len(inputs), wanted, found, len(outputs))
        self.lib.TF_SessionRun(self.session, None, *arguments, None, 0, None, self.status)
        self.check()
        return {
            name: self.array(ctypes.c_void_p(tensor)) for name, tensor in zip(outputs, found, strict=True)
        }

    def output(self, name):
        """The graph tensor of that name."""
        operation, _, index = name.partition(":")
        return Output(self.lib.TF_GraphOperationByName(self.graph, operation.encode()), int(index or 0))

    def tensor(self, array):
        """A new tensor with the array in it."""
        dims = (ctypes.c_int64 * array.ndim)(*array.shape)
        is_string = array.dtype == object
        size = array.size * STRING_BYTES if is_string else array.nbytes
        tensor = self.lib.TF_AllocateTensor(
            STRING if is_string else DTYPES[array.dtype], dims, array.ndim, ctypes.c_size_t(size)
        )
        data = self.lib.TF_TensorData(ctypes.c_void_p(tensor))
        if is_string:
            for index, text in enumerate(array.ravel()):
                place = ctypes.c_void_p(data + index * STRING_BYTES)
                self.lib.TF_StringInit(place)
                self.lib.TF_StringCopy(place, text, ctypes.c_size_t(len(text)))
        else:
            ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
        return tensor

    def array(self, tensor):
        """The array in a tensor."""
        shape = [self.lib.TF_Dim(tensor, axis) for axis in range(self.lib.TF_NumDims(tensor))]
        kind, data, count = (
            self.lib.TF_TensorType(tensor),
            self.lib.TF_TensorData(tensor),
            int(np.prod(shape)),
        )
        if kind == STRING:
            texts = [self.text(ctypes.c_void_p(data + index * STRING_BYTES)) for index in range(count)]
            return np.array(texts, object).reshape(shape)
        dtype = {number: dtype for dtype, number in DTYPES.items()}[kind]
        return np.frombuffer(ctypes.string_at(data, count * dtype.itemsize) if count else b"", dtype).reshape(
            shape
        )

    def text(self, place):
        """The bytes of one string."""
        return ctypes.string_at(self.lib.TF_StringGetDataPointer(place), self.lib.TF_StringGetSize(place))


def main():
    job = pickle.load(sys.stdin.buffer)
    runtime = Runtime(job["framework"], job["libraries"])
    runtime.load(job["folder"])
    pickle.dump([runtime.run(call["inputs"], call["outputs"]) for call in job["calls"]], sys.stdout.buffer)


if __name__ == "__main__":
    main()
