//! The module as scripts see it.

use crate::testing::{error, run};
use proptest::prelude::*;

fn script(chunk: &str) -> String {
    run(&format!("require 'circular_buffer' {chunk}"))
}

fn fails(chunk: &str) -> String {
    error(&format!("require 'circular_buffer' {chunk}"))
}

#[test]
fn a_new_buffer_is_empty_and_starts_at_zero() {
    assert_eq!(
        script(
            "local cb = circular_buffer.new(3, 3, 1)
             assert(cb:set_header(1, 'Add column') == 1)
             cb:set_header(2, 'Set column') cb:set_header(3, 'Get column')
             return render(cb)"
        ),
        "{\"time\":0,\"rows\":3,\"columns\":3,\"seconds_per_row\":1,\"column_info\":[\
         {\"name\":\"Add_column\",\"unit\":\"count\",\"aggregation\":\"sum\"},\
         {\"name\":\"Set_column\",\"unit\":\"count\",\"aggregation\":\"sum\"},\
         {\"name\":\"Get_column\",\"unit\":\"count\",\"aggregation\":\"sum\"}]}\n\
         nan\tnan\tnan\nnan\tnan\tnan\nnan\tnan\tnan\n"
    );
    assert_eq!(script("return circular_buffer.new(10, 2, 60):get_configuration()"), "10,2,60");
    assert_eq!(script("return circular_buffer.new(10, 2, 60):current_time()"), "540000000000");
    assert_eq!(script("return circular_buffer.new(10, 2, 60):get_header(2)"), "Column_2,count,sum");
    assert_eq!(script("return circular_buffer.new(2, 1e6, 1):get_header(1e6)"), "Column_1000000,count,sum");
    assert_eq!(script("return circular_buffer.version()"), "0.2.0");
    assert_eq!(script("return require 'circular_buffer' == circular_buffer"), "true");
}

#[test]
fn the_window_moves_with_the_newest_time() {
    assert_eq!(
        script(
            "local cb = circular_buffer.new(3, 3, 1)
             local function touch(ts) ts = ts * 1e9 cb:add(ts, 1, 1) cb:set(ts, 3, cb:get(ts, 1)) cb:set(ts, 2, 1) end
             local function rows() return cb:current_time() / 1e9 - 2 .. ':' .. render(cb):gsub('^[^\\n]*\\n', '') end
             for _, ts in ipairs{0, 1, 1, 2, 2, 2} do touch(ts) end
             local first = rows() touch(4) local second = rows() touch(10)
             return first .. second .. rows()"
        ),
        "0:1\t1\t1\n2\t1\t2\n3\t1\t3\n2:3\t1\t3\nnan\tnan\tnan\n1\t1\t1\n8:nan\tnan\tnan\nnan\tnan\tnan\n1\t1\t1\n"
    );
}

#[test]
fn times_outside_the_window_have_no_cell() {
    for (chunk, result) in [
        (
            "cb:add(5e9, 1, 1) return cb:add(2.9e9, 1, 1), cb:add(3e9, 1, 7), cb:get(2e9, 1), cb:get(6e9, 1)",
            "nil,7,nil,nil",
        ),
        ("return cb:set(-1, 1, 1), cb:set(-0.0, 1, 4), cb:get(0.9e9, 1)", "nil,4,4"),
        (
            "return cb:add(0/0, 1, 1), cb:add(1/0, 1, 1), cb:add(-1/0, 1, 1), cb:add(1e300, 1, 1), cb:current_time()",
            "nil,nil,nil,nil,2000000000",
        ),
        ("cb:add(1e24, 1, 1) return cb:current_time(), cb:get(1e24, 1)", "1e+24,1"),
        ("cb:set(1e9, 1, 5) cb:get(9e9, 1) cb:compute('sum', 1, 9e9, 9e9) return cb:get(1e9, 1)", "5"),
        // The window moves although the column is wrong.
        ("pcall(cb.add, cb, 9e9, 3, 1) return cb:current_time()", "9000000000"),
        ("cb:set(1e9, 2.9, 5) return cb:get(1e9, 2)", "5"),
    ] {
        assert_eq!(script(&format!("local cb = circular_buffer.new(3, 2, 1) {chunk}")), result, "{chunk}");
    }
}

#[test]
fn columns_combine_values_as_they_say() {
    for (chunk, result) in [
        ("return cb:add(0, 1, 2), cb:add(0, 1, 3), cb:set(0, 1, 1)", "2,5,1"),
        (
            "cb:set_header(1, 'a', 'ms', 'min') return cb:set(0, 1, 3), cb:set(0, 1, 4), cb:set(0, 1, 2), cb:set(0, 1, 0/0)",
            "3,3,2,2",
        ),
        ("cb:set_header(1, 'a', 'ms', 'max') return cb:set(0, 1, 3), cb:set(0, 1, 4), cb:set(0, 1, 2)", "3,4,4"),
        ("cb:set_header(1, 'a', nil, 'none') return cb:set(0, 1, 3), cb:set(0, 1, 4)", "3,4"),
        (
            "cb:set_header(1, 'a-name longer than fits', 'B/s*%longer', 'max') return cb:get_header(1)",
            "a_name_longer_t,B/s*_lo,max",
        ),
        ("cb:set_header(1, '') return cb:get_header(1)", ",count,sum"),
    ] {
        assert_eq!(script(&format!("local cb = circular_buffer.new(3, 2, 1) {chunk}")), result, "{chunk}");
    }
}

#[test]
fn wrong_arguments_are_named() {
    for (chunk, text) in [
        ("circular_buffer.new(1, 1)", "bad argument #0 to 'new' (incorrect number of arguments)"),
        ("circular_buffer.new(2, 1, 1, true, 1)", "bad argument #0 to 'new' (incorrect number of arguments)"),
        ("circular_buffer.new(1, 1, 1)", "bad argument #1 to 'new' (rows must be > 1)"),
        ("circular_buffer.new(0/0, 1, 1)", "bad argument #1 to 'new' (rows must be > 1)"),
        ("circular_buffer.new(2, 0, 1)", "bad argument #2 to 'new' (columns must be > 0)"),
        ("circular_buffer.new(2, 1, 0.5)", "bad argument #3 to 'new' (seconds_per_row is out of range)"),
        ("cb:add(0, 3, 1)", "bad argument #2 to 'add' (column out of range)"),
        ("cb:add(0, 0.9, 1)", "bad argument #2 to 'add' (column out of range)"),
        ("cb:get(0, 0/0)", "bad argument #2 to 'get' (column out of range)"),
        ("cb:add(0, 1)", "bad argument #-1 to 'add' (incorrect number of arguments)"),
        ("cb:add(0, 1, {})", "bad argument #3 to 'add' (number expected, got table)"),
        ("cb.add(1, 2, 3, 4)", "bad argument #1 to 'add' (mozsvc.circular_buffer expected, got number)"),
        ("cb.add()", "bad argument #1 to 'add' (mozsvc.circular_buffer expected, got no value)"),
        ("cb.add(io.stdout, 0, 1, 1)", "bad argument #1 to 'add' (mozsvc.circular_buffer expected, got userdata)"),
        ("cb:set_header(1)", "bad argument #-1 to 'set_header' (incorrect number of arguments)"),
        ("cb:set_header(1, 'a', 'b', 'x')", "bad argument #4 to 'set_header' (invalid option 'x')"),
        ("cb:format()", "bad argument #-1 to 'format' (incorrect number of arguments)"),
        ("cb:format('cbuf', 1)", "bad argument #-1 to 'format' (incorrect number of arguments)"),
        ("cb:format('x')", "bad argument #1 to 'format' (invalid option 'x')"),
        ("cb:compute('sum', 1, 2e9, 1e9)", "bad argument #4 to 'compute' (end must be >= start)"),
        ("cb:compute('median', 1)", "bad argument #1 to 'compute' (invalid option 'median')"),
        ("cb:mannwhitneyu(1, 1e9, 0, 2e9, 2e9)", "bad argument #3 to 'mannwhitneyu' (end_1 must be >= start_1)"),
        ("cb:mannwhitneyu(1, 0, 1e9, 2e9, 1e9)", "bad argument #5 to 'mannwhitneyu' (end_2 must be >= start_2)"),
        ("cb:mannwhitneyu(1, 0, 1e9, 1e9, 2e9)", "bad argument #4 to 'mannwhitneyu' (ranges must not overlap)"),
        (
            "cb:mannwhitneyu(1, 0, 0, 1e9, 2e9, 1)",
            "bad argument #6 to 'mannwhitneyu' (use_continuity must be a boolean)",
        ),
        ("cb:mannwhitneyu(1, 0, 0, 1e9, 2e9, true, 1)", "bad argument #-1 to 'mannwhitneyu' (too many arguments)"),
        ("cb:fromstring('')", "fromstring() too few values: 0, expected 6"),
        ("cb:fromstring('2 2 1 2 3 nan inf')", "fromstring() too few values: 5, expected 6"),
        ("cb:fromstring('2 2 1 2 x 4 5 6')", "fromstring() too few values: 2, expected 6"),
        ("cb:fromstring('2 2 1 2 3 4 5 6 7')", "fromstring() too many values, more than: 6"),
        ("cb:fromstring('2 2 1 2 3 4 5 6 x')", "fromstring() too many values, more than: 6"),
        ("cb:fromstring('2 3 1 2 3 4 5 6')", "fromstring() invalid current time or row"),
        ("cb:fromstring('2 -1 1 2 3 4 5 6')", "fromstring() invalid current time or row"),
        ("cb:fromstring('nan 1 1 2 3 4 5 6')", "fromstring() invalid current time or row"),
        ("circular_buffer.new(3, 2, 1, true):fromstring('2 2 1 2 3 4 5 6 1 1')", "fromstring() invalid delta"),
        ("circular_buffer.new(3, 2, 1, true):fromstring('2 2 1 2 3 4 5 6 1 1 x')", "fromstring() invalid delta"),
    ] {
        assert_eq!(fails(&format!("local cb = circular_buffer.new(3, 2, 1) {chunk}")), format!("chunk:1: {text}"));
    }
    assert_eq!(fails("circular_buffer.new(2^31 - 1, 2^31 - 1, 1)"), "not enough memory");
    assert_eq!(fails("circular_buffer.new(1e300, 1e300, 1)"), "not enough memory");
}

#[test]
fn compute_folds_a_column() {
    let buffer = "local cb = circular_buffer.new(5, 1, 1) for i = 1, 4 do cb:set(i * 1e9, 1, i) end";
    for (call, result) in [
        ("'sum', 1", "10,4"),
        ("'avg', 1", "2.5,4"),
        ("'variance', 1", "1.25,4"),
        ("'sd', 1", "1.1180339887499,4"),
        ("'min', 1", "1,4"),
        ("'max', 1", "4,4"),
        ("'sum', 1, 3e9, 4e9", "7,2"),
        ("'avg', 1, 3e9, 4e9", "3.5,2"),
        ("'sd', 1, 3e9, 4e9", "0.5,2"),
        ("'sum', 1, 11e9, 14e9", "nil,0"),
        ("'sum', 1, 0, 0", "0,0"),
        ("'avg', 1, nil, 1e9", "1,1"),
    ] {
        assert_eq!(script(&format!("{buffer} return cb:compute({call})")), result, "{call}");
    }
    for name in ["avg", "sd", "min", "max", "variance"] {
        let empty = format!("local v, n = circular_buffer.new(2, 1, 1):compute('{name}', 1) return v ~= v, n");
        assert_eq!(script(&empty), "true,0", "{name}");
    }
    assert_eq!(script("return circular_buffer.new(2, 1, 1):compute('sum', 1)"), "0,0");
    let negative = "local cb = circular_buffer.new(2, 1, 1) cb:set(0, 1, -3) cb:set(1e9, 1, -2)";
    assert_eq!(script(&format!("{negative} return cb:compute('max', 1)")), "-2,2");
}

#[test]
fn mann_whitney_u_compares_two_ranges() {
    let data = "15309,14092,13661,13412,14205,15042,14142,13820,14917,13953,14320,14472,15133,13790,14539,14129,\
                14363,14202,13841,13610,13759,14428,14851,13838,13819,14468,14989,15557,14380,13500,14818,14632,\
                13631,14663,14532,14188,14537,14109,13925,15022";
    let test = |before: &str, arguments: &str| {
        script(&format!(
            "local cb = circular_buffer.new(40, 1, 1)
             for i, v in ipairs{{{data}}} do cb:set(i * 1e9, 1, v) end {before}
             local u, p = cb:mannwhitneyu(1, {arguments})
             return u, p and math.floor(p * 1e5)"
        ))
    };
    assert_eq!(test("", "1e9, 20e9, 21e9, 40e9"), "171,22037");
    assert_eq!(test("", "1e9, 20e9, 21e9, 40e9, false"), "171,21638");
    assert_eq!(test("cb:set(40e9, 1, 15309)", "1e9, 20e9, 21e9, 40e9"), "168.5,20084");
    assert_eq!(test("", "0, 20e9, 21e9, 40e9"), "nil,nil");
    assert_eq!(script("return circular_buffer.new(4, 1, 1):mannwhitneyu(1, 0, 1e9, 2e9, 3e9)"), "");
}

#[test]
fn deltas_are_what_changed_since_the_last_output() {
    assert_eq!(
        script(
            "local cb = circular_buffer.new(2, 2, 1, true) cb:set_header(2, 'm', 'count', 'min') cb:format('cbufd')
             local out = {}
             local function emit() out[#out + 1] = (render(cb):gsub('^[^\\n]*\\n', '')) end
             cb:set(0,1,3) cb:set(0,2,6) emit()
             cb:set(0,1,5) cb:set(0,2,5) emit()
             cb:add(0,1,3) cb:add(0,2,3) emit()
             cb:add(0,1,1) cb:set(0,1,0/0) cb:add(0,2,1) emit()
             cb:add(0,1,1) cb:add(0,1,0/0) cb:add(0,2,1) emit()
             emit()
             return table.concat(out)"
        ),
        "0\t3\t6\n0\t2\t5\n0\t3\t8\n0\tnan\t9\n0\tnan\t10\n"
    );
    for (chunk, rows) in [
        ("cb:add(0,1,1) cb:set(0,2,0/0)", "0\t1\tnan\n"),
        ("cb:add(0,1,0)", ""),
        ("cb:add(0,1,5) cb:add(0,1,2)", "0\t7\tnan\n"),
        ("cb:set_header(1,'a','b','max') cb:set(0,1,3) cb:set(0,1,30) cb:set(0,1,7)", "0\t30\tnan\n"),
        ("cb:add(60e9,2,1) cb:add(61e9,2,1)", "60\tnan\t1\n61\tnan\t1\n"),
    ] {
        let chunk = format!(
            "local cb = circular_buffer.new(2, 2, 1, true) {chunk}
             return (render(cb:format('cbufd')):gsub('^[^\\n]*\\n', ''))"
        );
        assert_eq!(script(&chunk), rows, "{chunk}");
    }
    assert_eq!(script("local cb = circular_buffer.new(2, 2, 1):format('cbufd') cb:add(0, 1, 1) return render(cb)"), "");
}

#[test]
fn delta_rows_come_in_the_order_of_a_table() {
    // A table of the same keys, set in the same order, is traversed in the same order.
    let chunk = "local times = {1e9 + 600, 1e9, 1e9 + 60, 1e9 + 540, 1e9 + 120, 1e9 + 420}
        local cb = circular_buffer.new(20, 1, 60, true):format('cbufd')
        local t, expected = {}, {}
        for _, time in ipairs(times) do cb:add(time * 1e9, 1, 1) t[time - time % 60] = {} end
        for time in pairs(t) do expected[#expected + 1] = time .. '\\t1\\n' end
        return (render(cb):gsub('^[^\\n]*\\n', '')) == table.concat(expected), #expected";
    assert_eq!(script(chunk), "true,6");
}

#[test]
fn pending_deltas_survive_collection_and_overwritten_globals() {
    let chunk = "local new = circular_buffer.new
        local cb = new(1000, 3, 1, true) circular_buffer = nil
        for i = 0, 999 do cb:add(i * 1e9, 2, i + 1) if i % 100 == 0 then collectgarbage() end end
        cb:format('cbufd')
        local rows, sum = 0, 0
        for d in render(cb):gmatch('\\n%d+\\tnan\\t(%d+)\\tnan') do rows = rows + 1 sum = sum + d end
        collectgarbage()
        local again = render(cb)
        cb:add(999e9, 2, 5)
        return rows, sum, again, select(2, render(cb):gsub('\\n', ''))";
    assert_eq!(script(chunk), "1000,500500,,2");
}

#[test]
fn preservation_makes_the_buffer_again() {
    assert_eq!(
        script("cb = circular_buffer.new(2, 1, 60) cb:set(60e9, 1, 0.1) return serialise(cb, '_G[\"cb\"]')"),
        "if _G[\"cb\"] == nil then _G[\"cb\"] = circular_buffer.new(2, 1, 60) end\n\
         _G[\"cb\"]:set_header(1, \"Column_1\", \"count\", \"sum\")\n\
         _G[\"cb\"]:fromstring(\"60 1 nan 0.1\")\n"
    );
    assert_eq!(
        script("cb = circular_buffer.new(2, 2, 1, true) cb:add(5e9, 2, 7) return serialise(cb, 'cb')"),
        "if cb == nil then cb = circular_buffer.new(2, 2, 1, true) end\n\
         cb:set_header(1, \"Column_1\", \"count\", \"sum\")\n\
         cb:set_header(2, \"Column_2\", \"count\", \"sum\")\n\
         cb:fromstring(\"5 1 nan nan nan 7 5 nan 7\")\n"
    );
    let chunk = "cb = circular_buffer.new(7, 3, 60, true)
        cb:set_header(2, 'ms', 'ms', 'max')
        for i = 1, 40 do cb:add(i * 47e9, i % 3 + 1, 1 / i) end
        local function deltas()
          local rows = {}
          for row in render(cb:format('cbufd')):gmatch('[^\\n]+') do rows[#rows + 1] = row end
          table.sort(rows)
          return table.concat(rows, '\\n'), #rows
        end
        local text, before = serialise(cb, 'cb'), render(cb)
        local changes, count = deltas()
        cb = nil
        loadstring(text)()
        return render(cb) == before, deltas() == changes, count";
    // Changes outlive their rows: one line for each minute, and the header.
    assert_eq!(script(chunk), "true,true,33");
    // As the original writes it: eight decimals, absent deltas as 0.
    let old = "cb = circular_buffer.new(2, 2, 1, true)
        cb:fromstring('5 1 nan inf -inf 0.33333333 5 0 7')
        return (render(cb):gsub('^[^\\n]*\\n', '')), (render(cb:format('cbufd')):gsub('^[^\\n]*\\n', ''))";
    assert_eq!(script(old), "nan\tinf\n-inf\t0.33333333\n,5\t0\t7\n");
}

#[test]
fn memory_is_counted() {
    let chunk = "collectgarbage() local before = collectgarbage('count')
        local cb = circular_buffer.new(1000, 10, 1) local used = collectgarbage('count') - before
        return math.floor(used) >= 78, used < 80";
    assert_eq!(script(chunk), "true,true");
}

#[test]
fn hooks_refuse_what_is_not_a_buffer() {
    let chunk = "local forged = getmetatable(circular_buffer.new(2, 1, 1))
        local other = getmetatable(io.stdout)
        for k, v in pairs(forged) do if type(k) == 'userdata' then other[k] = v end end
        return render(io.stdout), serialise(io.stdout, 'k')";
    assert_eq!(script(chunk), "error: not a circular buffer,error: not a circular buffer");
}

proptest! {
    #[test]
    fn no_text_harms(text in "[0-9nai. \\t\\-e]{0,60}", delta: bool) {
        let chunk = format!("local cb = circular_buffer.new(3, 2, 60, {delta})
            local before = serialise(cb, 'cb')
            if pcall(cb.fromstring, cb, '{text}') then render(cb) cb:add(1e12, 1, 1) return 'done' end
            return serialise(cb, 'cb') == before");
        let result = script(&chunk);
        prop_assert!(result == "done" || result == "true", "{}", result);
    }

    #[test]
    fn the_window_holds_what_a_map_would(
        rows in 2usize..9, step in 1i64..70,
        adds in prop::collection::vec((0i64..2000, 1i64..9), 1..60),
    ) {
        let mut model = std::collections::BTreeMap::new();
        let mut newest = rows as i64 - 1;
        let mut chunk = format!("local cb = circular_buffer.new({rows}, 1, {step})\n");
        for (time, value) in adds {
            chunk += &format!("cb:add({time}e9, 1, {value})\n");
            let row = time / step;
            newest = newest.max(row);
            if row > newest - rows as i64 {
                *model.entry(row).or_insert(0) += value;
            }
            model.retain(|row, _| *row > newest - rows as i64);
        }
        let expected: String = (newest - rows as i64 + 1..=newest)
            .map(|row| model.get(&row).map_or("nan\n".to_owned(), |value| format!("{value}\n")))
            .collect();
        chunk += "return (render(cb):gsub('^[^\\n]*\\n', ''))";
        prop_assert_eq!(script(&chunk), expected);
    }
}
