//! A Lua table to a row: its headers and its fields, in either notation, in the order of the table.
//!
//! Nothing here calls a function of the API that can raise an error: tables are walked raw, keys are compared and
//! never converted.

use crate::host::{Host, Times};
use crate::number::write_lua_number;
use crate::{State, ffi};
use heka_lua::{bytes_at, hooks_of};
use heka_message::{BatchBuilder, FieldValue, Span, ValueType};
use std::ffi::{CStr, c_int};

/// How deep a value may hide in objects of the form `{value = {value = …}}`.
const DEPTH: usize = 64;

/// Bytes that one message may take while it is built, whatever its limit.
const MOST: usize = 512 << 20;

/// Why a table cannot be encoded; `None` when it grew beyond its limit.
pub(crate) type Refused = Option<String>;

fn refuse<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Some(why.into()))
}

/// Appends the table at index 1 as a row; what it does not set is left unset, the identity aside. Returns a number of
/// bytes that the encoded message does not exceed.
///
/// # Safety
/// `state` is live, has the table at index 1, and room for twelve values. The table is not used by anyone else.
pub(crate) unsafe fn encode(
    state: State,
    builder: &mut BatchBuilder,
    host: &mut Host,
    limit: usize,
) -> Result<usize, Refused> {
    let start = builder.text_len();
    builder.row().set_uuid(host.uuids.next_uuid());
    let Host { scratch, times, .. } = host;
    let mut encoder = Encoder { state, builder, scratch, times, table: 1, start, limit, values: 0, elsewhere: 0 };
    unsafe {
        ffi::lua_settop(state, 1);
        encoder.message(|_| true)?;
    }
    encoder.size()
}

/// Sets the last row to what the table at stack index `table`, which is at the top, says. Whether it could be encoded.
///
/// # Safety
/// As [`encode`].
pub(crate) unsafe fn template(state: State, table: c_int, builder: &mut BatchBuilder, times: &Times) -> bool {
    let (start, mut scratch) = (builder.text_len(), Vec::new());
    let mut encoder =
        Encoder { state, builder, scratch: &mut scratch, times, table, start, limit: MOST, values: 0, elsewhere: 0 };
    unsafe { encoder.message(|_| true) }.is_ok()
}

/// A row under way.
pub(crate) struct Encoder<'a> {
    pub(crate) state: State,
    pub(crate) builder: &'a mut BatchBuilder,
    pub(crate) scratch: &'a mut Vec<u8>,
    pub(crate) times: &'a Times,
    /// The stack index of the table; everything above is the encoder's.
    pub(crate) table: c_int,
    /// Where the row's texts begin.
    pub(crate) start: usize,
    pub(crate) limit: usize,
    /// Values and fields so far.
    pub(crate) values: usize,
    /// Bytes of texts that the row refers to elsewhere.
    pub(crate) elsewhere: usize,
}

/// A field under way.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) name: Span,
    pub(crate) value_type: Option<f64>,
    pub(crate) representation: Option<&'a [u8]>,
}

impl Encoder<'_> {
    /// Never below the encoded length: every value takes at most 13 bytes beside its text, every field 25 more, and
    /// the headers 90.
    #[inline]
    pub(crate) fn size(&self) -> Result<usize, Refused> {
        let size = (self.builder.text_len() - self.start) + self.elsewhere + self.values * 40 + 90;
        // The estimate may be far off for lists of small values; the exact length is compared later.
        if size > self.limit.saturating_mul(64).min(MOST) { Err(None) } else { Ok(size) }
    }

    /// Takes those entries of the table whose keys are `wanted`.
    ///
    /// # Safety
    /// The table is at its index and at the top, with room for twelve values.
    pub(crate) unsafe fn message(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Result<(), Refused> {
        let key = self.table + 1;
        unsafe {
            ffi::lua_pushnil(self.state);
            while ffi::lua_next(self.state, self.table) != 0 {
                if let Some(name) = bytes_at(self.state, key).filter(|name| wanted(name)) {
                    self.header(name)?;
                }
                ffi::lua_settop(self.state, key);
            }
        }
        Ok(())
    }

    /// The text or number at the top of the stack as the text of a header.
    unsafe fn text(&mut self) -> Option<Span> {
        unsafe {
            let at = self.table + 2;
            match ffi::lua_type(self.state, at) {
                ffi::LUA_TSTRING => Some(self.builder.text(bytes_at(self.state, at)?)),
                ffi::LUA_TNUMBER => {
                    let number = ffi::lua_tonumber(self.state, at);
                    Some(self.builder.text_with(|out| write_lua_number(number, out)))
                }
                _ => None,
            }
        }
    }

    /// The number, or the text that reads as one, at index 3.
    unsafe fn number(&self) -> Option<f64> {
        unsafe {
            let at = self.table + 2;
            let kind = ffi::lua_type(self.state, at);
            let is_number =
                kind == ffi::LUA_TNUMBER || (kind == ffi::LUA_TSTRING && ffi::lua_isnumber(self.state, at) != 0);
            is_number.then(|| ffi::lua_tonumber(self.state, at))
        }
    }

    /// Takes one entry of the table: the key given, the value at index 3.
    pub(crate) unsafe fn header(&mut self, key: &[u8]) -> Result<(), Refused> {
        unsafe {
            let text = match key {
                b"Type" | b"Logger" | b"Payload" | b"EnvVersion" | b"Hostname" => self.text(),
                b"Fields" if ffi::lua_type(self.state, self.table + 2) == ffi::LUA_TTABLE => return self.fields(),
                _ => None,
            };
            let number = match key {
                b"Timestamp" | b"Severity" | b"Pid" => self.number(),
                _ => None,
            };
            let Some(row) = self.builder.last_row() else { return Ok(()) };
            match (key, text, number) {
                (b"Type", Some(text), _) => row.msg_type = text,
                (b"Logger", Some(text), _) => row.logger = text,
                (b"Payload", Some(text), _) => row.payload = text,
                (b"EnvVersion", Some(text), _) => row.env_version = text,
                (b"Hostname", Some(text), _) => row.hostname = text,
                (b"Timestamp", _, Some(number)) => row.set_timestamp(self.times.take(number)),
                (b"Severity", _, Some(number)) => row.set_severity(number as i64 as i32),
                (b"Pid", _, Some(number)) => row.set_pid(number as i64 as i32),
                (b"Uuid", ..) => {
                    if let Some(uuid) = bytes_at(self.state, self.table + 2).and_then(|bytes| bytes.try_into().ok()) {
                        row.set_uuid(uuid);
                    }
                }
                _ => {}
            }
        }
        self.size().map(drop)
    }

    /// The table at index 3 holds the fields.
    unsafe fn fields(&mut self) -> Result<(), Refused> {
        unsafe {
            let fields = self.table + 2;
            ffi::lua_rawgeti_(self.state, fields, 1);
            let is_list = ffi::lua_type(self.state, fields + 1) == ffi::LUA_TTABLE;
            ffi::lua_settop(self.state, fields);
            if is_list { self.field_list() } else { self.field_map() }
        }
    }

    /// `{name = value, …}`
    unsafe fn field_map(&mut self) -> Result<(), Refused> {
        unsafe {
            let key = self.table + 3;
            ffi::lua_pushnil(self.state);
            while ffi::lua_next(self.state, key - 1) != 0 {
                let name = match ffi::lua_type(self.state, key) {
                    ffi::LUA_TSTRING => self.builder.text(bytes_at(self.state, key).unwrap_or_default()),
                    ffi::LUA_TNUMBER => {
                        let number = ffi::lua_tonumber(self.state, key);
                        self.builder.text_with(|out| write_lua_number(number, out))
                    }
                    _ => return refuse("field name must be a string"),
                };
                self.value(Form { name, value_type: None, representation: None })?;
                ffi::lua_settop(self.state, key);
            }
        }
        Ok(())
    }

    /// `{{name = …, value = …}, …}`, up to the first nil.
    unsafe fn field_list(&mut self) -> Result<(), Refused> {
        let fields = self.table + 2;
        for at in 1.. {
            unsafe {
                ffi::lua_settop(self.state, fields);
                ffi::lua_rawgeti_(self.state, fields, at);
                match ffi::lua_type(self.state, fields + 1) {
                    ffi::LUA_TNIL => break,
                    ffi::LUA_TTABLE => {}
                    _ => return refuse("field name must be a string"),
                }
                let (parts, name) = self.object(fields + 1);
                let Some(name) = name else { return refuse("field name must be a string") };
                let name = self.builder.text(name);
                self.value(Form { name, ..parts })?;
            }
        }
        Ok(())
    }

    /// Reads the object at `at` and pushes its value; also its name, if it has one.
    unsafe fn object<'b>(&self, at: c_int) -> (Form<'b>, Option<&'b [u8]>) {
        let mut form = Form { name: Span::NONE, value_type: None, representation: None };
        let mut name = None;
        let state = self.state;
        unsafe {
            ffi::lua_pushnil(state);
            let value = ffi::lua_gettop(state);
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, at) != 0 {
                match bytes_at(state, value + 1) {
                    Some(b"value") => {
                        ffi::lua_replace(state, value);
                    }
                    Some(b"value_type") if ffi::lua_type(state, -1) == ffi::LUA_TNUMBER => {
                        form.value_type = Some(ffi::lua_tonumber(state, -1));
                    }
                    Some(b"representation") => form.representation = bytes_at(state, -1),
                    Some(b"name") => name = bytes_at(state, -1),
                    _ => {}
                }
                ffi::lua_settop(state, value + 1);
            }
        }
        (form, name)
    }

    /// Appends a field whose value is at the top, four above the table.
    pub(crate) unsafe fn value(&mut self, mut form: Form<'_>) -> Result<(), Refused> {
        let (state, at) = (self.state, self.table + 4);
        for _ in 0..DEPTH {
            self.values += 1;
            unsafe {
                if ffi::lua_type(state, at) != ffi::LUA_TTABLE {
                    self.open(form, at)?;
                    return self.single(at);
                }
                ffi::lua_rawgeti_(state, at, 1);
                if ffi::lua_type(state, at + 1) != ffi::LUA_TNIL {
                    return self.array(form);
                }
                ffi::lua_settop(state, at);
                let (inner, _) = self.object(at);
                form.value_type = inner.value_type.or(form.value_type);
                form.representation = inner.representation.or(form.representation);
                // The object's value takes its place; whoever holds the object keeps the value alive.
                ffi::lua_replace(state, at);
                ffi::lua_settop(state, at);
            }
        }
        refuse("unsupported type: table")
    }

    /// Opens a field for values of the type at `at`.
    unsafe fn open(&mut self, form: Form<'_>, at: c_int) -> Result<(), Refused> {
        let state = self.state;
        let kind = unsafe { ffi::lua_type(state, at) };
        let given = form.value_type.map(|number| number as i64);
        let value_type = match (kind, given) {
            (ffi::LUA_TSTRING, None | Some(0)) => ValueType::String,
            (ffi::LUA_TSTRING, Some(1)) => ValueType::Bytes,
            (ffi::LUA_TSTRING, Some(n)) => return refuse(format!("invalid string value_type: {n}")),
            (ffi::LUA_TNUMBER, None | Some(3)) => ValueType::Double,
            (ffi::LUA_TNUMBER, Some(2)) => ValueType::Integer,
            (ffi::LUA_TNUMBER, Some(n)) => return refuse(format!("invalid numeric value_type: {n}")),
            (ffi::LUA_TBOOLEAN, None | Some(4)) => ValueType::Bool,
            (ffi::LUA_TBOOLEAN, Some(n)) => return refuse(format!("invalid boolean value_type: {n}")),
            (ffi::LUA_TUSERDATA, _) => ValueType::Bytes,
            (kind, _) => return refuse(format!("unsupported type: {}", unsafe { type_name(state, kind) })),
        };
        let representation = match form.representation {
            Some(text) => self.builder.text(text),
            None => Span::NONE,
        };
        let field = self.builder.open_field(form.name, representation, value_type);
        // The default type is not written.
        field.explicit_type = value_type != ValueType::String;
        field.unpacked = true;
        Ok(())
    }

    /// Appends the value at `at` to the field under way.
    unsafe fn single(&mut self, at: c_int) -> Result<(), Refused> {
        let state = self.state;
        let value_type = self.builder.last_field().map(|field| field.value_type);
        unsafe {
            match ffi::lua_type(state, at) {
                ffi::LUA_TSTRING => {
                    let text = bytes_at(state, at).unwrap_or_default();
                    let span = self.builder.text(text);
                    self.builder.add_span(span);
                }
                ffi::LUA_TNUMBER => {
                    let number = ffi::lua_tonumber(state, at);
                    self.builder.add_value(match value_type {
                        Some(ValueType::Integer) => FieldValue::Integer(number as i64),
                        _ => FieldValue::Double(number),
                    });
                }
                ffi::LUA_TBOOLEAN => {
                    self.builder.add_value(FieldValue::Bool(ffi::lua_toboolean(state, at) != 0));
                }
                _ => {
                    let Some(render) = hooks_of(state, at).and_then(|hooks| hooks.render) else {
                        return refuse("user data object does not implement lsb_output");
                    };
                    self.scratch.clear();
                    render(state, at, self.scratch).or_else(|error| refuse(error.0))?;
                    let span = self.builder.text(self.scratch);
                    self.builder.add_span(span);
                }
            }
        }
        self.size().map(drop)
    }

    /// Appends the array four above the table, whose first element is at the top.
    unsafe fn array(&mut self, form: Form<'_>) -> Result<(), Refused> {
        let (state, list, element) = (self.state, self.table + 4, self.table + 5);
        unsafe {
            let kind = ffi::lua_type(state, element);
            if !matches!(kind, ffi::LUA_TSTRING | ffi::LUA_TNUMBER | ffi::LUA_TBOOLEAN) {
                return refuse(format!("unsupported array type: {}", type_name(state, kind)));
            }
            self.open(form, element)?;
            for at in 2.. {
                self.values += 1;
                self.single(element)?;
                ffi::lua_settop(state, list);
                ffi::lua_rawgeti_(state, list, at);
                match ffi::lua_type(state, element) {
                    ffi::LUA_TNIL => break,
                    other if other == kind => {}
                    _ => return refuse("array has mixed types"),
                }
            }
        }
        Ok(())
    }
}

/// Lua's name of a type.
unsafe fn type_name(state: State, kind: c_int) -> String {
    // SAFETY: Lua's names are static texts.
    unsafe { CStr::from_ptr(ffi::lua_typename(state, kind)) }.to_string_lossy().into_owned()
}
