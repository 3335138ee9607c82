//! A buffer as text: what messages carry, and what preservation writes.

use super::buffer::{Buffer, Form};
use super::{BUFFER, delta};
use crate::number::write_integer;
use crate::{write_number, write_round_trip};
use heka_lua::{RenderError, State};
use std::ffi::c_int;

fn not_ours() -> RenderError {
    RenderError("not a circular buffer".to_owned())
}

/// The form that the script chose. Deltas are written once.
pub unsafe fn render(state: State, n: c_int, out: &mut Vec<u8>) -> Result<(), RenderError> {
    unsafe {
        let block = BUFFER.test(state, n).ok_or_else(not_ours)?;
        let buffer = Buffer::of(block);
        if buffer.head.form == Form::Cbuf {
            write_header(&buffer, out);
            for row in buffer.rows() {
                write_cells(row, out);
            }
        } else if delta::any(state, n) {
            write_header(&buffer, out);
            delta::visit(state, n, |time, row| {
                write_number(time, out);
                out.push(b'\t');
                write_cells(row, out);
            });
            delta::clear(state, n);
        }
    }
    Ok(())
}

fn write_header(buffer: &Buffer, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"time\":");
    write_signed(buffer.oldest_time(), out);
    out.extend_from_slice(b",\"rows\":");
    write_integer(buffer.head.rows as u64, out);
    out.extend_from_slice(b",\"columns\":");
    write_integer(buffer.head.columns as u64, out);
    out.extend_from_slice(b",\"seconds_per_row\":");
    write_signed(buffer.head.seconds_per_row, out);
    out.extend_from_slice(b",\"column_info\":[");
    for (n, column) in buffer.columns.iter().enumerate() {
        // Names and units hold nothing that JSON would escape.
        out.extend_from_slice(if n == 0 { b"{\"name\":\"" } else { b",{\"name\":\"" });
        out.extend_from_slice(column.name());
        out.extend_from_slice(b"\",\"unit\":\"");
        out.extend_from_slice(column.unit());
        out.extend_from_slice(b"\",\"aggregation\":\"");
        out.extend_from_slice(column.aggregation.name());
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}\n");
}

fn write_signed(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    write_integer(value.unsigned_abs(), out);
}

fn write_cells(row: &[f64], out: &mut Vec<u8>) {
    for (n, cell) in row.iter().enumerate() {
        if n > 0 {
            out.push(b'\t');
        }
        write_number(*cell, out);
    }
    out.push(b'\n');
}

/// Statements that make the buffer again, unless the script did already, and fill it.
pub unsafe fn serialise(state: State, n: c_int, key: &[u8], out: &mut Vec<u8>) -> Result<(), RenderError> {
    unsafe {
        let block = BUFFER.test(state, n).ok_or_else(not_ours)?;
        let buffer = Buffer::of(block);
        let head = &*buffer.head;
        out.extend_from_slice(b"if ");
        out.extend_from_slice(key);
        out.extend_from_slice(b" == nil then ");
        out.extend_from_slice(key);
        out.extend_from_slice(b" = circular_buffer.new(");
        write_integer(head.rows as u64, out);
        out.extend_from_slice(b", ");
        write_integer(head.columns as u64, out);
        out.extend_from_slice(b", ");
        write_signed(head.seconds_per_row, out);
        out.extend_from_slice(if head.delta { b", true) end\n" } else { b") end\n" });
        for (n, column) in buffer.columns.iter().enumerate() {
            out.extend_from_slice(key);
            out.extend_from_slice(b":set_header(");
            write_integer(n as u64 + 1, out);
            for text in [column.name(), column.unit(), column.aggregation.name()] {
                out.extend_from_slice(b", \"");
                out.extend_from_slice(text);
                out.push(b'"');
            }
            out.extend_from_slice(b")\n");
        }
        out.extend_from_slice(key);
        out.extend_from_slice(b":fromstring(\"");
        write_signed(buffer.newest_time(), out);
        out.push(b' ');
        write_integer(head.newest_row as u64, out);
        for cell in buffer.cells.iter() {
            out.push(b' ');
            write_round_trip(*cell, out);
        }
        if head.delta {
            delta::visit(state, n, |time, row| {
                out.push(b' ');
                write_number(time, out);
                for change in row {
                    out.push(b' ');
                    write_round_trip(*change, out);
                }
            });
        }
        out.extend_from_slice(b"\")\n");
    }
    Ok(())
}
