//! The fhir room: the packs of conformance resources that the program carries; `definitions/README.md` tells the format,
//! the content is that of the packages of <https://hl7.org/fhir/R4/downloads.html>.

use super::library::{Entry, Kind, Place};
use super::structure;
use flate2::read::ZlibDecoder;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

const MAGIC: &[u8] = b"KAPDEFS1";
/// Beyond what any block or index of ours inflates to.
const MAX_INFLATED: u64 = 64 * 1024 * 1024;

/// The block that was inflated last: neighbours are used together.
static LAST: Mutex<Option<(usize, Arc<[u8]>)>> = Mutex::new(None);

/// Reads the index of a pack; no definition is inflated yet. The order is that of the pack.
pub(super) fn read(pack: &'static [u8]) -> Result<Vec<Entry>, String> {
    let short = || "the pack ends too early".to_owned();
    let rest = pack.strip_prefix(MAGIC).ok_or("this is not a pack of definitions")?;
    let (size, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let (index, mut rest) = usize::try_from(u32::from_le_bytes(*size))
        .ok()
        .and_then(|size| rest.split_at_checked(size))
        .ok_or_else(short)?;
    let index = String::from_utf8(inflate(index)?).map_err(|e| format!("index: {e}"))?;
    let (mut packages, mut blocks, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for line in index.lines() {
        let fault = || format!("index: {line}");
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["P", _, version] => packages.push(Arc::<str>::from(version)),
            ["B", length] => {
                let length = length.parse().map_err(|_| fault())?;
                let (block, after) = rest.split_at_checked(length).ok_or_else(short)?;
                blocks.push(block);
                rest = after;
            }
            [kind, url, version, package, block, offset, length, ref type_kind @ ..] => {
                let number = |text: &str| text.parse::<usize>().map_err(|_| fault());
                let block = blocks.get(number(block)?).ok_or_else(fault)?;
                let type_kind = match type_kind {
                    [] => None,
                    [kind] => Some(structure::Kind::of(kind).ok_or_else(fault)?),
                    _ => return Err(fault()),
                };
                let place = Place::Packed { block, offset: number(offset)?, length: number(length)?, type_kind };
                let package = packages.get(number(package)?).ok_or_else(fault)?;
                let version = Some(version).filter(|v| !v.is_empty());
                entries.push(Entry::new(Kind::of(kind).ok_or_else(fault)?, url, version, package, place));
            }
            _ => return Err(fault()),
        }
    }
    Ok(entries)
}

/// The JSON text of one definition, cut out of its block.
pub(super) fn text<T>(
    block: &'static [u8],
    offset: usize,
    length: usize,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<T, String> {
    let inflated = block_of(block)?;
    let end = offset.checked_add(length).ok_or("the index is wrong")?;
    Ok(read(inflated.get(offset..end).ok_or("the index is wrong")?))
}

fn block_of(block: &'static [u8]) -> Result<Arc<[u8]>, String> {
    let address = block.as_ptr().addr();
    {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, inflated)) = last.as_ref().filter(|(of, _)| *of == address) {
            return Ok(Arc::clone(inflated));
        }
    }
    let inflated: Arc<[u8]> = inflate(block)?.into();
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, Arc::clone(&inflated)));
    Ok(inflated)
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(512 * 1024);
    ZlibDecoder::new(packed).take(MAX_INFLATED).read_to_end(&mut out).map_err(|e| format!("a block: {e}"))?;
    out.shrink_to_fit();
    Ok(out)
}
