//! A large file as a body: read piece by piece, as the reader takes it.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes read at once.
const PIECE: u64 = 64 << 10;

/// What is left of a file.
pub(super) struct FileBody {
    file: File,
    left: u64,
}

impl FileBody {
    /// The first `length` bytes of `file`.
    pub(super) fn new(file: File, length: u64) -> Self {
        FileBody { file, left: length }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = Vec::new();
        let most = self.left.min(PIECE);
        let read = (&self.file).take(most).read_to_end(&mut piece);
        Poll::Ready(Some(match read {
            // Shorter than promised: the reader must not take it for whole.
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                self.left -= n as u64;
                Ok(Frame::data(piece.into()))
            }
            Err(error) => Err(error),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_file_comes_in_pieces_and_a_cut_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let content: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let whole = FileBody::new(File::open(&path).unwrap(), content.len() as u64);
        assert_eq!(whole.collect().await.unwrap().to_bytes(), content);
        let start = FileBody::new(File::open(&path).unwrap(), 70_000);
        assert_eq!(start.collect().await.unwrap().to_bytes(), content[..70_000]);
        let cut = FileBody::new(File::open(&path).unwrap(), 200_001);
        assert_eq!(cut.collect().await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
