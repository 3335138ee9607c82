//! Named values: a named group that always comes to one simple value is one capture for a visit.
//!
//! `Cg(Ct(Cg(digit ^ 1 / tonumber, "value") * Cg(Cc"B", "representation")), "bytes")` is a group around a table around
//! two groups, which a visitor would have to take apart for each match, to find each time that it is a number with a
//! representation. That is worked out here once: the program captures the digits, and a [`Recipe`] says the rest.

use super::{Compiler, full_len, is_dropped};
use crate::first::Follow;
use crate::program::{Kind, Op, Recipe, Source, Value};
use crate::tree::{CAPTURES, Tag, Tree};

/// What is known of a named value from the groups around it.
#[derive(Clone, Copy)]
pub struct Naming {
    /// The key of its name.
    name: u16,
    /// The key of its representation, or 0.
    representation: u16,
}

/// The values that a pattern gives whenever it matches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    Nothing,
    /// One that a recipe can tell.
    One,
    /// Several, or none of these now and then, or others.
    Else,
}

impl Compiler<'_> {
    /// Compiles a capture that is a named value or a part of one; `false` when it is neither.
    pub fn named(&mut self, tree: Tree, known: &Follow, follow: &Follow) -> bool {
        let child = tree.child();
        if let Some(naming) = self.naming {
            match tree.tag() {
                Tag::Table => {
                    let representation = self.representation(child);
                    self.naming = Some(Naming { representation, ..naming });
                    self.code(child, known, follow);
                    self.naming = Some(naming);
                }
                // The recipe has it.
                Tag::Group if self.is_called(tree, b"representation") => {}
                Tag::Group if self.gives(child) == Gives::One => self.code(child, known, follow),
                Tag::Function if is_dropped(child) => self.value(tree, child.child(), known, follow),
                _ => self.value(tree, child, known, follow),
            }
            return true;
        }
        if !self.names_fields || tree.tag() != Tag::Group || tree.key() == 0 || self.text(tree.key()).is_none() {
            return false;
        }
        self.naming = Some(Naming { name: tree.key(), representation: 0 });
        match self.gives(child) {
            Gives::Nothing => self.value(tree, child, known, follow),
            Gives::One => self.code(child, known, follow),
            Gives::Else => {
                self.naming = None;
                return false;
            }
        }
        self.naming = None;
        true
    }

    /// The match of `child`, whose captures nobody wants, as the value of `tree`.
    fn value(&mut self, tree: Tree, child: Tree, known: &Follow, follow: &Follow) {
        let outer = std::mem::replace(&mut self.is_silent, true);
        if let Some(length) = full_len(child) {
            self.code(child, known, follow);
            self.is_silent = outer;
            return self.full(tree, length);
        }
        let (kind, key) = self.leaf(tree);
        self.emit(Op::Open, kind as u8, key, 0);
        self.code(child, known, follow);
        self.emit(Op::Close, 0, 0, 0);
        self.is_silent = outer;
    }

    /// The kind and the key of a capture without captures inside.
    pub fn leaf(&mut self, tree: Tree) -> (Kind, u16) {
        // Also says whether it is known.
        let kind = self.kind(tree);
        let is_named_text =
            self.names_fields && tree.tag() == Tag::Group && tree.key() > 0 && self.text(tree.key()).is_some();
        let naming = match self.naming {
            Some(naming) => naming,
            None if is_named_text => Naming { name: tree.key(), representation: 0 },
            None => return (kind, tree.key()),
        };
        let (source, key) = match (tree.tag(), kind) {
            (_, Kind::Tonumber) => (Source::Number, 0),
            (Tag::Function, _) => (Source::Call, tree.key()),
            (Tag::Const, _) => (Source::Constant, tree.key()),
            _ => (Source::Text, 0),
        };
        let Naming { name, representation } = naming;
        let recipe = Recipe { name, representation, source, key };
        let recipes = &mut self.parts.recipes;
        let at = recipes.iter().position(|other| *other == recipe).unwrap_or_else(|| {
            recipes.push(recipe);
            recipes.len() - 1
        });
        // Far fewer than instructions, which a pattern has less than 2¹⁶ of for each value.
        (Kind::Named, at as u16)
    }

    fn gives(&self, tree: Tree) -> Gives {
        if !tree.has(CAPTURES) {
            return Gives::Nothing;
        }
        let is_mute = |tree: Tree| !tree.has(CAPTURES);
        match tree.tag() {
            Tag::Simple if is_mute(tree.child()) => Gives::One,
            Tag::Function if is_mute(tree.child()) || is_dropped(tree.child()) => Gives::One,
            Tag::Const if self.is_constant(tree) => Gives::One,
            Tag::Group if tree.key() == 0 && self.gives(tree.child()) == Gives::One => Gives::One,
            Tag::Table if self.is_represented(tree.child()) => Gives::One,
            Tag::Seq => {
                let mut given = tree.children().map(|child| self.gives(child)).filter(|gives| *gives != Gives::Nothing);
                match (given.next(), given.next()) {
                    (Some(one), None) => one,
                    _ => Gives::Else,
                }
            }
            Tag::Choice if tree.children().all(|child| self.gives(child) == Gives::One) => Gives::One,
            _ => Gives::Else,
        }
    }

    /// Whether a table of these contents is `{value = …, representation = …}`, the second of them a constant.
    fn is_represented(&self, contents: Tree) -> bool {
        let (mut values, mut representations) = (0, 0);
        for part in parts(contents).filter(|part| part.has(CAPTURES)) {
            if self.is_called(part, b"value") && self.is_bare(part.child()) {
                values += 1;
            } else if self.is_called(part, b"representation") && self.constant_text(part.child()) {
                representations += 1;
            } else {
                return false;
            }
        }
        (values, representations) == (1, 1)
    }

    /// Whether the value inside is no table.
    fn is_bare(&self, tree: Tree) -> bool {
        fn has_table(tree: Tree) -> bool {
            tree.tag() == Tag::Table || tree.children().any(has_table)
        }
        match self.gives(tree) {
            Gives::Nothing => true,
            Gives::One => !has_table(tree),
            Gives::Else => false,
        }
    }

    /// The key of the representation among the contents of a table.
    fn representation(&self, contents: Tree) -> u16 {
        let found = parts(contents).find(|part| self.is_called(*part, b"representation"));
        found.map_or(0, |group| group.child().key())
    }

    fn is_called(&self, tree: Tree, name: &[u8]) -> bool {
        tree.tag() == Tag::Group && self.text(tree.key()) == Some(name)
    }

    fn is_constant(&self, tree: Tree) -> bool {
        matches!(self.constant(tree.key()), Value::Text(..) | Value::Number(_) | Value::Boolean(_))
    }

    fn constant_text(&self, tree: Tree) -> bool {
        tree.tag() == Tag::Const && self.text(tree.key()).is_some()
    }

    fn text(&self, key: u16) -> Option<&[u8]> {
        match self.constant(key) {
            // SAFETY: the pattern that is compiled keeps its strings alive.
            Value::Text(start, length) => Some(unsafe { std::slice::from_raw_parts(start, length) }),
            _ => None,
        }
    }
}

/// The parts of a sequence, or the pattern itself.
fn parts(tree: Tree) -> impl Iterator<Item = Tree> {
    let whole = (tree.tag() != Tag::Seq).then_some(tree);
    let children = (tree.tag() == Tag::Seq).then(|| tree.children());
    whole.into_iter().chain(children.into_iter().flatten())
}
