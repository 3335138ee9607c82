//! Where to go by the next byte, as a small table: most bytes go to the same place.
//!
//! In memory it is: the lowest byte that goes elsewhere, how many bytes lie between it and the highest one, a class for
//! each of these, and the targets of the classes in 32 bits each. Class 0 is every other byte, class 1 the end.

use std::collections::BTreeMap;

/// The most targets a table can have.
pub const MOST_TARGETS: usize = 200;

const HEAD: usize = 2;
const OTHER: u8 = 0;
const END: usize = 1;

/// The table for these targets, the last of which is for the end. There are no more than `MOST_TARGETS` different ones.
pub fn build(targets: &[u32; 257]) -> Vec<u8> {
    let (bytes, end) = (&targets[..256], targets[256]);
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    bytes.iter().for_each(|target| *counts.entry(*target).or_default() += 1);
    let most = counts.iter().max_by_key(|(_, count)| **count).map_or(0, |(target, _)| *target);
    let goes_elsewhere = |target: &u32| *target != most;
    let lowest = bytes.iter().position(goes_elsewhere).unwrap_or(0);
    let highest = bytes.iter().rposition(goes_elsewhere).unwrap_or(0);
    let mut classes = vec![most, end];
    let mut out = vec![lowest as u8, (highest - lowest) as u8];
    for target in &bytes[lowest..=highest] {
        if *target == most {
            out.push(OTHER);
            continue;
        }
        let known = classes[END + 1..].iter().position(|known| known == target).map(|at| at + END + 1);
        let class = known.unwrap_or(classes.len());
        if class == classes.len() {
            classes.push(*target);
        }
        // There are fewer than 256.
        out.push(class as u8);
    }
    out.extend(classes.iter().flat_map(|target| target.to_ne_bytes()));
    out
}

/// The target for the byte at `s`, or for the end.
///
/// # Safety
/// `table` is what `build` made, and the bytes from `s` to `end` can be read.
#[inline(always)]
pub unsafe fn target(table: *const u8, s: *const u8, end: *const u8) -> u32 {
    unsafe {
        let (lowest, span) = (*table, *table.add(1));
        let classes = table.add(HEAD);
        let targets: *const u32 = classes.add(usize::from(span) + 1).cast();
        let mut class = END;
        if s != end {
            let distance = (*s).wrapping_sub(lowest);
            class = usize::from(if distance <= span { *classes.add(usize::from(distance)) } else { OTHER });
        }
        targets.add(class).read_unaligned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(targets: &[u32; 257]) -> bool {
        let table = build(targets);
        let at = |bytes: &[u8]| {
            let range = bytes.as_ptr_range();
            unsafe { target(table.as_ptr(), range.start, range.end) }
        };
        (0..=u8::MAX).all(|byte| at(&[byte]) == targets[usize::from(byte)]) && at(&[]) == targets[256]
    }

    #[test]
    fn a_table_is_as_small_as_what_it_says() {
        let mut targets = [7; 257];
        assert!(agrees(&targets));
        (targets[65], targets[70], targets[256]) = (1, 2, 3);
        assert!(agrees(&targets));
        assert_eq!(build(&targets).len(), 2 + 6 + 4 * 4);
        assert!(agrees(&std::array::from_fn(|at| at as u32 % MOST_TARGETS as u32)));
    }

    proptest! {
        #[test]
        fn every_byte_goes_where_it_should(targets in prop::collection::vec(0_u32..9, 257)) {
            prop_assert!(agrees(&targets.try_into().unwrap()));
        }
    }
}
