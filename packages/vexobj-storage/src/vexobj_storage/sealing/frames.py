"""The framed form of sealed content: AES-256-GCM over 64 KiB at a time. Bytes in, bytes out.

Each frame is its ciphertext and a tag of 16 bytes. Its nonce is its number (11 bytes, big-endian)
and one byte that is 1 for the last frame, so a frame that is moved, dropped, or cut off after does
not open (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár 2015). A key seals one
content only, ever. Content of no bytes is one empty last frame.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vexobj_storage.files import Buffer

FRAME_BYTES = 64 * 1024
TAG_BYTES = 16
_STRIDE = FRAME_BYTES + TAG_BYTES


class FrameBroken(Exception):
    """The frame is not what was sealed under this key at this place."""

    def __init__(self, number: int) -> None:
        super().__init__(f"frame {number} cannot be authenticated")
        self.number = number


def sealed_size(size: int) -> int:
    """What `size` bytes take when sealed."""
    return size + TAG_BYTES * max(1, -(-size // FRAME_BYTES))


def plain_size(size: int) -> int:
    """The size of the content that takes `size` bytes when sealed."""
    return size - TAG_BYTES * -(-size // _STRIDE)


class Sealer:
    """Takes a content piece by piece, holding back at most one frame."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._number = 0
        self._held = bytearray()

    def update(self, piece: Buffer) -> bytes:
        """The frames that are complete, and certain not to be the last."""
        view, taken, sealed = memoryview(piece), 0, []
        if self._held:
            taken = FRAME_BYTES - len(self._held)
            self._held += view[:taken]
            if taken >= len(view):
                return b""
            sealed.append(self._seal(self._held, last=False))
            self._held = bytearray()
        while len(view) - taken > FRAME_BYTES:
            sealed.append(self._seal(view[taken : taken + FRAME_BYTES], last=False))
            taken += FRAME_BYTES
        self._held += view[taken:]
        return b"".join(sealed)

    def finish(self) -> bytes:
        """The last frame. To be called once, after which there is no `update`."""
        return self._seal(self._held, last=True)

    def _seal(self, frame: Buffer, *, last: bool) -> bytes:
        nonce = _nonce(self._number, last=last)
        self._number += 1
        return self._cipher.encrypt(nonce, frame, None)


class Opener:
    """Opens a range of a content of `size` bytes, out of just the frames that hold it.

    It wants the sealed bytes [`offset`, `offset` + `length`), in pieces of any size.
    """

    def __init__(self, key: bytes, size: int, start: int, length: int) -> None:
        if start < 0 or length < 0 or start + length > size:
            raise ValueError(f"{length} bytes from {start} are not within {size}")
        self._cipher = AESGCM(key)
        self._last = max(0, size - 1) // FRAME_BYTES
        self._last_bytes = sealed_size(size) - self._last * _STRIDE
        self._number = start // FRAME_BYTES if length else 0
        self._skip = start - self._number * FRAME_BYTES
        self._wanted = length
        self._held = bytearray()
        self.offset = self._number * _STRIDE
        end = (start + length - 1) // FRAME_BYTES
        reaches_end = end >= self._last
        stop = sealed_size(size) if reaches_end else (end + 1) * _STRIDE
        self.length = stop - self.offset if length else 0

    def update(self, piece: Buffer) -> bytes:
        """The plaintext of the frames that are complete. Raises: FrameBroken."""
        view, taken, opened = memoryview(piece), 0, []
        while taken < len(view):
            missing = self._frame_bytes() - len(self._held)
            frame: Buffer = view[taken : taken + missing]
            taken += missing
            if self._held or len(frame) < missing:
                self._held += frame
                if len(frame) < missing:
                    break
                frame, self._held = self._held, bytearray()
            opened.append(self._open(frame))
        return b"".join(opened)

    def _frame_bytes(self) -> int:
        return self._last_bytes if self._number == self._last else _STRIDE

    def _open(self, frame: Buffer) -> bytes:
        number = self._number
        nonce = _nonce(number, last=number == self._last)
        try:
            data = self._cipher.decrypt(nonce, frame, None)
        except InvalidTag:
            raise FrameBroken(number) from None
        self._number += 1
        if self._skip or len(data) > self._wanted:
            data = data[self._skip : self._skip + self._wanted]
            self._skip = 0
        self._wanted -= len(data)
        return data


def seal(key: bytes, data: Buffer) -> bytes:
    """All of a content at once."""
    sealer = Sealer(key)
    return sealer.update(data) + sealer.finish()


def open_sealed(key: bytes, sealed: Buffer) -> bytes:
    """All of a content at once. Raises: FrameBroken."""
    size = plain_size(len(sealed))
    if size <= 0:
        _open_empty(key, sealed)
        return b""
    return Opener(key, size, 0, size).update(sealed)


def _open_empty(key: bytes, sealed: Buffer) -> None:
    try:
        AESGCM(key).decrypt(_nonce(0, last=True), sealed, None)
    except InvalidTag:
        raise FrameBroken(0) from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")
