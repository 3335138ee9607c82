//! From values to symbols, and how far two words are apart.

use super::MOST_FRAMES;
use crate::normal::quantile;

/// The letter of a frame without values.
pub const NOTHING: u8 = b'#';

/// Below this deviation a series counts as constant: it is centred only.
const FLAT: f64 = 0.01;

/// A word: `A` is the lowest letter.
#[derive(Clone, Copy)]
pub struct Symbols {
    /// How many values the word stands for.
    pub values: usize,
    pub cardinality: usize,
    frames: usize,
    letters: [u8; MOST_FRAMES as usize],
}

impl Symbols {
    /// The word of a series; the number of frames divides that of the values.
    pub fn of(values: impl ExactSizeIterator<Item = f64> + Clone, frames: usize, cardinality: usize) -> Symbols {
        let known = values.clone().filter(|value| !value.is_nan());
        let count = known.clone().count() as f64;
        let mean = known.clone().sum::<f64>() / count;
        let deviation = (known.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        let scale = if deviation < FLAT { 1.0 } else { deviation };

        let total = values.len();
        let mut breakpoints = [0.0; 15];
        for (k, breakpoint) in breakpoints[..cardinality - 1].iter_mut().enumerate() {
            *breakpoint = (quantile((k + 1) as f64 / cardinality as f64) * 1000.0).trunc() / 1000.0;
        }
        let breakpoints = &breakpoints[..cardinality - 1];
        let mut letters = [0; MOST_FRAMES as usize];
        let mut values = values;
        for letter in &mut letters[..frames] {
            let frame = values.by_ref().take(total / frames).filter(|value| !value.is_nan());
            let (sum, count) =
                frame.fold((0.0, 0.0), |(sum, count), value| (sum + (value - mean) / scale, count + 1.0));
            let level = sum / count;
            *letter = if level.is_nan() {
                NOTHING
            } else {
                b'A' + breakpoints.iter().filter(|breakpoint| **breakpoint <= level).count() as u8
            };
        }
        Symbols { values: total, cardinality, frames, letters }
    }

    /// A word as it is printed, when its letters are those of the cardinality.
    pub fn parse(text: &[u8], cardinality: usize) -> Option<Symbols> {
        let known = |letter: &u8| *letter == NOTHING || usize::from(letter.wrapping_sub(b'A')) < cardinality;
        if !text.iter().all(known) {
            return None;
        }
        let mut letters = [0; MOST_FRAMES as usize];
        letters.get_mut(..text.len())?.copy_from_slice(text);
        Some(Symbols { values: text.len(), cardinality, frames: text.len(), letters })
    }

    pub fn text(&self) -> &[u8] {
        &self.letters[..self.frames]
    }
}

/// The least distance of the series behind two words: in all, from frames where the first is above, and where it is
/// below. `None` for words that cannot be compared.
pub fn distance(a: &Symbols, b: &Symbols) -> Option<(f64, f64, f64)> {
    if (a.values, a.frames, a.cardinality) != (b.values, b.frames, b.cardinality) {
        return None;
    }
    let (mut above, mut below) = (0.0, 0.0);
    for (a_letter, b_letter) in a.text().iter().zip(b.text()) {
        let (low, high) = (a_letter.min(b_letter), a_letter.max(b_letter));
        if *low == NOTHING || high - low <= 1 {
            continue;
        }
        let edge = |letters: u8| quantile(f64::from(letters) / a.cardinality as f64);
        let gap = edge(high - b'A') - edge(low - b'A' + 1);
        let gap = (gap * 1000.0).round() / 1000.0;
        if a_letter > b_letter {
            above += gap * gap;
        } else {
            below += gap * gap;
        }
    }
    let scale = (a.values as f64 / a.frames as f64).sqrt();
    Some((scale * (above + below).sqrt(), scale * above.sqrt(), scale * below.sqrt()))
}
