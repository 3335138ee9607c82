//! Compiled patterns: instructions of eight bytes, and the tables they refer to, in one block.

use crate::set::Set;
use heka_lua::ffi;

/// What an instruction does. `s` is the place in the subject; "fails" means that the machine goes back to the last
/// pending choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Op {
    /// The match succeeds.
    End,
    Fail,
    /// Consumes one byte.
    Any,
    /// Consumes `arg` bytes.
    AnyN,
    /// Consumes the byte `aux`.
    Byte,
    /// Consumes the `aux` bytes in `arg`, at most four.
    Bytes,
    /// Consumes the `key` bytes of the pool at `arg`.
    LongBytes,
    /// Consumes a byte of set `arg`.
    Set,
    /// Fails unless no byte is left.
    AtEnd,
    /// Goes to `arg` unless a byte is left.
    TestAny,
    /// Goes to `arg` unless the next byte is `aux`.
    TestByte,
    /// Goes to `arg` unless the next byte is in set `key`.
    TestSet,
    /// As `Bytes`, but goes to the `arg` of the next slot instead of failing.
    TestBytes,
    /// As `LongBytes`, but goes to the `arg` of the next slot instead of failing.
    TestLongBytes,
    /// Consumes bytes of set `arg` as long as there are any; fails on fewer than `aux`, which is 0 or 1.
    Span,
    /// Consumes bytes up to the next of the `key` bytes in `arg` (at most three) or the end; fails on fewer than `aux`.
    SpanUntil,
    /// Consumes the first of the words that the automaton at `arg` of the pool knows.
    Walk,
    /// Consumes the `aux` bytes that are remembered at `key` and goes to `arg`, if they come next.
    Again,
    /// Remembers the last `aux` bytes at `key`.
    Remember,
    /// Goes where the table at `arg` of the pool says for the next byte.
    Switch,
    /// Makes a choice pending, which continues at `arg`.
    Choice,
    /// Drops the last choice and goes to `arg`.
    Commit,
    /// The last choice would now continue from here; goes to `arg`.
    PartialCommit,
    /// Drops the last choice, goes back to its place in the subject, and to `arg`.
    BackCommit,
    /// Drops the last choice, and fails.
    FailTwice,
    Jump,
    Call,
    Return,
    /// Goes back `arg` bytes.
    Behind,
    /// A capture of kind `aux` over the last `arg` bytes.
    Full,
    /// Begins a capture of kind `aux`.
    Open,
    /// Ends the innermost capture.
    Close,
    /// Ends the innermost capture, which is a match-time capture.
    CloseRuntime,
    /// Pays for `arg` steps in advance, where the code has no jump for long.
    Charge,
}

/// An instruction, or the second slot of one.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Insn {
    pub op: Op,
    pub aux: u8,
    pub key: u16,
    pub arg: u32,
}

/// What a capture is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    Position,
    Const,
    Arg,
    Backref,
    Simple,
    Table,
    Group,
    Fold,
    Function,
    /// A function capture whose function is Lua's own `tonumber`.
    Tonumber,
    Numbered,
    Query,
    Str,
    Subst,
    /// A named value, only in programs for visits: the key is the index of its recipe.
    Named,
    /// A value returned by a match-time capture.
    Runtime,
}

impl Kind {
    /// The kind with this number: what `aux` holds.
    #[inline(always)]
    pub fn of(number: u8) -> Kind {
        debug_assert!(number <= Kind::Runtime as u8);
        // SAFETY: only the compiler writes `aux`, from a `Kind`, and the kinds are numbered without a gap.
        unsafe { std::mem::transmute(number) }
    }
}

/// How a named value is made: all there is to know beside its place in the subject. It stands for a named group, and for
/// everything inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recipe {
    /// The key of the name.
    pub name: u16,
    /// The key of the text that `{value = …, representation = …}` gives; 0 when the value is bare.
    pub representation: u16,
    pub source: Source,
    /// The key of the constant or the function, else 0.
    pub key: u16,
}

/// What a named value is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Its text.
    Text,
    /// The number that `tonumber` makes of its text.
    Number,
    Constant,
    /// What a function makes of its text.
    Call,
}

/// A Lua value of a pattern, as far as it can be known without Lua. Texts live in Lua, as long as the program does.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "what a match that builds no Lua values reads")]
pub enum Value {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(*const u8, usize),
    Native(ffi::lua_CFunction),
    Other,
}

/// A compiled pattern. Everything it points to lies behind it in the same userdata, but for the texts of values.
#[repr(C)]
pub struct Program {
    pub code: *const Insn,
    pub sets: *const Set,
    pub bytes: *const u8,
    pub values: *const Value,
    pub value_count: usize,
    pub recipes: *const Recipe,
    pub recipe_count: usize,
    /// What `Remember` remembers, the only part that changes: for each text, 1 once it is set, and the text.
    pub memory: *mut u8,
    /// Every capture can be evaluated without Lua.
    pub is_known: bool,
}

impl Program {
    /// The recipes of its named values.
    #[inline]
    pub fn recipes(&self) -> &[Recipe] {
        // SAFETY: there are so many.
        unsafe { std::slice::from_raw_parts(self.recipes, self.recipe_count) }
    }

    /// The Lua value with this key.
    #[inline]
    pub fn value(&self, key: u16) -> Value {
        // SAFETY: there are `value_count` values.
        let values = unsafe { std::slice::from_raw_parts(self.values, self.value_count) };
        usize::from(key).checked_sub(1).and_then(|at| values.get(at).copied()).unwrap_or(Value::Nil)
    }
}

/// A program as the compiler makes it.
#[derive(Default)]
pub struct Parts {
    pub code: Vec<Insn>,
    pub sets: Vec<Set>,
    pub bytes: Vec<u8>,
    pub values: Vec<Value>,
    pub recipes: Vec<Recipe>,
    /// Bytes of memory for texts that matched.
    pub memory: usize,
    pub is_known: bool,
}

impl Parts {
    /// The size of the block in bytes.
    pub fn size(&self) -> usize {
        size_of::<Program>()
            + size_of_val(&self.values[..])
            + size_of_val(&self.sets[..])
            + size_of_val(&self.code[..])
            + size_of_val(&self.recipes[..])
            + self.bytes.len()
            + self.memory
    }

    /// Lays the program out in `block`.
    ///
    /// # Safety
    /// `block` has room for `size()` bytes and is aligned to eight.
    pub unsafe fn write(&self, block: *mut u8) -> *const Program {
        // Parts of larger alignment come first, and all sizes but the last are multiples of the next one's alignment.
        unsafe fn put<T: Copy>(at: &mut *mut u8, items: &[T]) -> *const T {
            unsafe {
                let start: *mut T = (*at).cast();
                debug_assert!(start.is_aligned());
                start.copy_from_nonoverlapping(items.as_ptr(), items.len());
                *at = start.add(items.len()).cast();
                start
            }
        }
        unsafe {
            let mut at = block.add(size_of::<Program>());
            let values = put(&mut at, &self.values);
            let sets = put(&mut at, &self.sets);
            let code = put(&mut at, &self.code);
            let recipes = put(&mut at, &self.recipes);
            let bytes = put(&mut at, &self.bytes);
            at.write_bytes(0, self.memory);
            let program: *mut Program = block.cast();
            program.write(Program {
                code,
                sets,
                bytes,
                values,
                value_count: self.values.len(),
                recipes,
                recipe_count: self.recipes.len(),
                memory: at,
                is_known: self.is_known,
            });
            program
        }
    }
}
