//! The data: where it lies, and which row a time belongs to.

use super::column::Column;
use std::ffi::c_void;

/// What output shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All rows.
    Cbuf,
    /// The changes since the last output.
    Cbufd,
}

/// The start of the block; cells and columns follow.
pub struct Head {
    pub rows: usize,
    pub columns: usize,
    pub seconds_per_row: i64,
    /// The newest row's interval: its time divided by `seconds_per_row`.
    pub newest: i64,
    /// Where the newest row lies.
    pub newest_row: usize,
    pub delta: bool,
    pub form: Form,
    /// The row of pending deltas that changed last and its interval; null when there is none.
    pub recent: (i64, *mut f64),
}

/// A buffer inside its block.
pub struct Buffer<'a> {
    pub head: &'a mut Head,
    /// Row by row.
    pub cells: &'a mut [f64],
    pub columns: &'a mut [Column],
}

/// Seconds beyond this are no times: the arithmetic below is exact up to it.
const FARTHEST: f64 = (1u64 << 50) as f64;

/// The largest integer not above `x`, which fits; `f64::floor` is a call on older processors.
#[inline]
fn floor(x: f64) -> i64 {
    let whole = x as i64;
    whole - i64::from(whole as f64 > x)
}

impl Buffer<'_> {
    /// The bytes that a buffer takes; saturates, so that Lua refuses what no machine holds.
    pub fn size(rows: usize, columns: usize) -> usize {
        let cells = rows.saturating_mul(columns).saturating_mul(size_of::<f64>());
        let columns = columns.saturating_mul(size_of::<Column>());
        size_of::<Head>().saturating_add(cells).saturating_add(columns)
    }

    /// Writes an empty buffer into a new block.
    ///
    /// # Safety
    /// The block has the [`size`](Buffer::size) for these rows and columns, and is aligned to 8 bytes.
    pub unsafe fn write(block: *mut c_void, rows: usize, columns: usize, seconds_per_row: i64, delta: bool) {
        const { assert!(align_of::<Head>() <= 8 && size_of::<Head>().is_multiple_of(8)) }
        let newest_row = rows - 1;
        let newest = newest_row as i64;
        let recent = (0, std::ptr::null_mut());
        let head = Head { rows, columns, seconds_per_row, newest, newest_row, delta, form: Form::Cbuf, recent };
        unsafe {
            block.cast::<Head>().write(head);
            let cells = block.cast::<Head>().add(1).cast::<f64>();
            for n in 0..rows * columns {
                cells.add(n).write(f64::NAN);
            }
            let described = cells.add(rows * columns).cast::<Column>();
            for n in 0..columns {
                described.add(n).write(Column::numbered(n + 1));
            }
        }
    }

    /// The buffer in a block.
    ///
    /// # Safety
    /// [`write`](Buffer::write) wrote the block, it lives for `'a`, and there is no other reference into it meanwhile.
    #[inline]
    pub unsafe fn of<'a>(block: *mut c_void) -> Buffer<'a> {
        unsafe {
            let head = &mut *block.cast::<Head>();
            let cells = block.cast::<Head>().add(1).cast::<f64>();
            let count = head.rows * head.columns;
            let cells = std::slice::from_raw_parts_mut(cells, count);
            let columns = cells.as_mut_ptr().add(count).cast::<Column>();
            let columns = std::slice::from_raw_parts_mut(columns, head.columns);
            Buffer { head, cells, columns }
        }
    }

    /// The newest row's time in seconds.
    pub fn newest_time(&self) -> i64 {
        self.head.newest * self.head.seconds_per_row
    }

    /// The oldest row's time in seconds.
    pub fn oldest_time(&self) -> i64 {
        (self.head.newest - (self.head.rows as i64 - 1)) * self.head.seconds_per_row
    }

    /// The interval of a time in nanoseconds; `None` for NaN and what no clock shows.
    #[inline]
    pub fn interval(&self, ns: f64) -> Option<i64> {
        let seconds = ns / 1e9;
        if seconds.abs() < FARTHEST {
            // Exact: integers this small never round up to the next multiple.
            Some(floor(floor(seconds) as f64 / self.head.seconds_per_row as f64))
        } else {
            None
        }
    }

    /// Where the row of an interval lies, when it is in the window.
    #[inline]
    pub fn row(&self, interval: i64) -> Option<usize> {
        let age = self.head.newest - interval;
        if !(0..self.head.rows as i64).contains(&age) {
            return None;
        }
        let age = age as usize;
        let newest = self.head.newest_row;
        Some(if age <= newest { newest - age } else { newest + self.head.rows - age })
    }

    /// As [`row`](Buffer::row); an interval newer than the newest row becomes the newest row, and those between are
    /// emptied.
    #[inline]
    pub fn row_advancing(&mut self, interval: i64) -> Option<usize> {
        if interval > self.head.newest {
            self.advance(interval);
        }
        self.row(interval)
    }

    fn advance(&mut self, interval: i64) {
        let Head { rows, columns, newest, newest_row, .. } = *self.head;
        let steps = (interval - newest) as u64;
        if steps >= rows as u64 {
            self.cells.fill(f64::NAN);
        } else {
            let first = (newest_row + 1) * columns;
            let count = steps as usize * columns;
            let (start, behind) = self.cells.split_at_mut(first);
            let wrapped = count.saturating_sub(behind.len());
            behind[..count - wrapped].fill(f64::NAN);
            start[..wrapped].fill(f64::NAN);
        }
        self.head.newest = interval;
        self.head.newest_row = ((newest_row as u64 + steps % rows as u64) % rows as u64) as usize;
    }

    /// The rows from the oldest to the newest, each with its columns.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        let (newer, older) = self.cells.split_at((self.head.newest_row + 1) * self.head.columns);
        older.chunks_exact(self.head.columns).chain(newer.chunks_exact(self.head.columns))
    }

    /// A column's cells in the rows of these intervals; empty outside the window.
    pub fn column(&self, column: usize, first: i64, last: i64) -> impl Iterator<Item = f64> + Clone {
        let head = &*self.head;
        let inside = self.row(first).is_some() && self.row(last).is_some();
        let intervals = if inside { first..last + 1 } else { 0..0 };
        intervals.filter_map(move |interval| {
            let row = self.row(interval)?;
            self.cells.get(row * head.columns + column).copied()
        })
    }
}
