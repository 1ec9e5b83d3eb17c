//! Buffers of numbers and text that are either memory of this process or part of a mapped file.
//!
//! The columns read both alike, so a snapshot can be used right after its file is mapped.

use std::{fmt, ops::Deref};

use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use bytes::Bytes;
use bytestring::ByteString;

/// A slice of numbers that never changes, in memory or in a mapped file. Clones share the data.
#[derive(Clone)]
pub struct Buffer<T: ArrowNativeType>(ScalarBuffer<T>);

impl<T: ArrowNativeType> From<Vec<T>> for Buffer<T> {
    /// Takes over the vector and frees its unused capacity.
    fn from(mut values: Vec<T>) -> Self {
        values.shrink_to_fit();
        Self(values.into())
    }
}

impl<T: ArrowNativeType> Buffer<T> {
    /// Reads bytes in place. `None` if their length is not a multiple of the size of a value, or their
    /// address is not aligned for it.
    pub(crate) fn from_bytes(bytes: Bytes) -> Option<Self> {
        if bytes.is_empty() {
            // An empty slice of a file may have any address.
            return Some(Self::default());
        }
        let whole = bytes.len().is_multiple_of(size_of::<T>());
        let aligned = bytes.as_ptr().align_offset(align_of::<T>()) == 0;
        (whole && aligned).then(|| Self(arrow_buffer::Buffer::from(bytes).into()))
    }

    /// The values as bytes in the byte order of this machine.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.inner().as_slice()
    }
}

impl<T: ArrowNativeType> Default for Buffer<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T: ArrowNativeType> Deref for Buffer<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: ArrowNativeType> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// UTF-8 text that was validated when it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextBuffer(ByteString);

impl From<String> for TextBuffer {
    fn from(mut text: String) -> Self {
        text.shrink_to_fit();
        Self(text.into())
    }
}

impl TextBuffer {
    /// Reads bytes in place; `None` if they are not valid UTF-8.
    pub(crate) fn from_bytes(bytes: Bytes) -> Option<Self> {
        ByteString::try_from(bytes).ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &Bytes {
        self.0.as_bytes()
    }
}

impl Deref for TextBuffer {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_where_they_lie() {
        let owned: Buffer<f64> = vec![1.0, 2.0, f64::NAN].into();
        assert_eq!(owned[..2], [1.0, 2.0]);
        let bytes = Bytes::copy_from_slice(owned.as_bytes());
        let again = Buffer::<f64>::from_bytes(bytes.clone()).unwrap();
        assert_eq!(again.as_ptr().cast(), bytes.as_ptr());
        assert_eq!(Buffer::<u32>::from_bytes(bytes.slice(4..12)).map(|cut| cut.len()), Some(2));
        assert!(Buffer::<u32>::from_bytes(bytes.slice(0..6)).is_none(), "half a value");
        assert!(Buffer::<u32>::from_bytes(bytes.slice(2..6)).is_none(), "begins between values");
        assert!(Buffer::<u32>::from_bytes(bytes.slice(3..3)).unwrap().is_empty());
        assert!(Buffer::<i64>::default().is_empty());
        assert!(TextBuffer::from_bytes(Bytes::from_static(&[b'a', 0xff])).is_none());
    }
}
