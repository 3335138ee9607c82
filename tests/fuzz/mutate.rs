//! Makes inputs from others: bytes changed, pieces moved, doubled, dropped or taken from elsewhere, and the words that
//! the format knows put in where they do not belong.

use crate::support::Random;

/// No input becomes longer than this.
pub const LONGEST: usize = 16 * 1024;

/// Numbers at which lengths and counters go wrong.
const EDGES: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
];

/// Numbers as texts.
const TEXTS: [&str; 12] = [
    "0",
    "-1",
    "1e308",
    "-1e-308",
    "nan",
    "inf",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e999999999",
    "\u{0}",
    "\u{feff}é日𝄞",
];

/// A new input made of `input`, of `other` ones, and of `words`.
pub fn mutate(input: &[u8], other: &[u8], words: &[&str], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(6) {
        step(&mut bytes, other, words, random);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn step(bytes: &mut Vec<u8>, other: &[u8], words: &[&str], random: &mut Random) {
    let at = random.below(bytes.len() as u64 + 1) as usize;
    let most = 1 << random.below(8);
    let length = random.below(most) as usize;
    let end = (at + length).min(bytes.len());
    match random.below(13) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        3 => drop(bytes.drain(at..end)),
        4 => {
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len() as u64 + 1) as usize;
            bytes.splice(to..to, piece);
        }
        5 => {
            let from = random.below(other.len() as u64 + 1) as usize;
            let to = (from + length).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        6 => {
            let from = random.below(other.len() as u64 + 1) as usize;
            bytes.splice(at.., other[from..].iter().copied());
        }
        7 | 8 if !words.is_empty() => {
            let word = words[random.below(words.len() as u64) as usize];
            let end = if random.below(2) == 0 { at } else { end };
            bytes.splice(at..end, word.bytes());
        }
        9 => {
            let number = EDGES[random.below(EDGES.len() as u64) as usize].to_le_bytes();
            let width = 1 << random.below(4);
            bytes.splice(at..(at + width).min(bytes.len()), number[..width].iter().copied());
        }
        10 => {
            let text = TEXTS[random.below(TEXTS.len() as u64) as usize];
            bytes.splice(at..end, text.bytes());
        }
        11 => {
            // Depth and length: a piece, again and again.
            let most = 1 << random.below(10);
            let piece = bytes[at..end].repeat(random.below(most) as usize);
            bytes.splice(at..at, piece.into_iter().take(LONGEST));
        }
        _ => bytes.truncate(at),
    }
}
