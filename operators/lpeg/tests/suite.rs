//! The documented functions, in Lua: each file is a list of named assertions.

mod host;

fn suite(name: &str, text: &str) {
    let text = format!("{}\n{text}", include_str!("assertions.lua"));
    let count = host::run(&host::Chunk { name, text: &text, arguments: &[], functions: &[] }).expect(name);
    assert!(count.parse::<u32>().expect("a count of assertions") > 0, "{name}: no assertion");
}

macro_rules! suites {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            suite(stringify!($name), include_str!(concat!(stringify!($name), ".lua")));
        }
    )*};
}

suites!(patterns, captures, grammars, match_time, re_module);
