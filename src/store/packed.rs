//! The store room: bodies as they lie in a store: zstd frames (RFC 8878), made with a dictionary of what resources have in
//! common. A resource of 2 kB takes some 300 bytes so; what is not written, copied and read again pays for the compression
//! (docs/decisions/0028).

use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

/// Its number, 1, stands in each frame. It never changes: another gets another number, and this one stays to read by.
const DICTIONARY: &[u8] = include_bytes!("bodies_v1.dict");

/// The fastest of the levels: higher ones save a tenth more.
const LEVEL: i32 = 1;

/// What a frame begins with; a body that is not packed begins with `{`.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// No body is longer: the length that a damaged frame names must not take all memory.
const LONGEST: u64 = 1 << 30;

/// Contexts that are kept for the next body: some hundred kilobytes each.
const KEPT: usize = 8;

static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));
static COMPRESSORS: Mutex<Vec<Compressor<'static>>> = Mutex::new(Vec::new());
static DECOMPRESSORS: Mutex<Vec<Decompressor<'static>>> = Mutex::new(Vec::new());

/// Stored bytes that are no body: the file is damaged.
#[derive(Debug, thiserror::Error)]
#[error("a stored body is damaged")]
pub(super) struct DamagedBody;

/// The bytes to store for a body. Of a deletion, which has none: none.
pub(super) fn pack(body: &[u8]) -> Vec<u8> {
    if body.is_empty() {
        return Vec::new();
    }
    let fresh = || {
        let mut compressor = Compressor::with_prepared_dictionary(&ENCODER)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(compressor)
    };
    // What cannot be compressed is kept as it is.
    with(&COMPRESSORS, fresh, |compressor| compressor.compress(body)).unwrap_or_else(|_| body.to_vec())
}

/// The body of stored bytes.
pub(super) fn unpack(stored: &[u8]) -> Result<Vec<u8>, DamagedBody> {
    if !stored.starts_with(&FRAME) {
        return Ok(stored.to_vec());
    }
    let length = get_frame_content_size(stored).ok().flatten().filter(|length| *length <= LONGEST);
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or(DamagedBody)?;
    let fresh = || Decompressor::with_prepared_dictionary(&DECODER);
    with(&DECOMPRESSORS, fresh, |decompressor| decompressor.decompress(stored, length)).map_err(|_| DamagedBody)
}

/// Works with a context that nobody else uses meanwhile.
fn with<T, R>(
    kept: &Mutex<Vec<T>>,
    fresh: impl FnOnce() -> io::Result<T>,
    work: impl FnOnce(&mut T) -> io::Result<R>,
) -> io::Result<R> {
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    let found = lock().pop();
    let mut context = match found {
        Some(context) => context,
        None => fresh()?,
    };
    let done = work(&mut context)?;
    let mut kept = lock();
    if kept.len() < KEPT {
        kept.push(context);
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOAL: &str = r#"{"resourceType":"Goal","id":"g1","meta":{"versionId":"1","lastUpdated":"2026-02-02T15:00:00.000000Z"},"lifecycleStatus":"active","description":{"text":"sleep"},"subject":{"reference":"Patient/p1"}}"#;

    #[test]
    fn body_is_smaller_and_comes_back() {
        let packed = pack(GOAL.as_bytes());
        assert!(packed.starts_with(&FRAME) && packed.len() < GOAL.len() * 2 / 3, "{}", packed.len());
        assert_eq!(unpack(&packed).unwrap(), GOAL.as_bytes());
    }

    #[test]
    fn body_that_was_stored_before_bodies_were_packed_is_read() {
        assert_eq!(unpack(GOAL.as_bytes()).unwrap(), GOAL.as_bytes());
        assert!(pack(b"").is_empty() && unpack(b"").unwrap().is_empty());
    }

    /// The bytes that the first version of the dictionary made: what is stored must be read for ever.
    #[test]
    fn frame_of_the_first_dictionary_is_read() {
        let stored: Vec<u8> = FIRST.as_bytes().chunks(2).map(hexadecimal).collect();
        assert_eq!(unpack(&stored).unwrap(), GOAL.as_bytes());
    }

    const FIRST: &str = "28b52ffd2501c5b5020073030c974b48020901c218094a481a21294a6029214c003272a250d80a41e37730121587626d8404115144f1147d90bc8506010afc06fffe6b2ff6b0d40210f4b1d92669fb5ee704014b9be6321389d194ed3ba82c0108f9e57d";

    fn hexadecimal(pair: &[u8]) -> u8 {
        u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()
    }

    #[test]
    fn damaged_body_is_never_taken_for_another() {
        let packed = pack(GOAL.as_bytes());
        for place in 4..packed.len() {
            let mut damaged = packed.clone();
            damaged[place] ^= 0x10;
            assert!(unpack(&damaged).map_or(true, |body| body == GOAL.as_bytes()), "byte {place}");
        }
        assert!(unpack(&packed[..packed.len() - 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(body in proptest::collection::vec(any::<u8>(), 0..3000)) {
            prop_assume!(!body.starts_with(&FRAME));
            prop_assert_eq!(unpack(&pack(&body)).unwrap(), body);
        }
    }
}
