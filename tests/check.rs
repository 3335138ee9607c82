//! `-check`, `-version` and bad configurations, as users meet them.

mod support;

use support::Site;

#[test]
fn a_good_configuration_passes() {
    let site = Site::new("[LogstreamerInput]\nfile_match = 'x'\n");
    assert_eq!(site.run(&["-check"]).status.code(), Some(0));
}

#[test]
fn all_mistakes_are_shown_at_once_with_their_places() {
    let site = Site::new(
        "[LogstreamerInput]\nfile_match = 'x'\nsplitter = \"TokenSpliter\"\n\
         [PayloadEncoder]\nappend_newline = false\n\
         [LogOutput]\nmessage_matcher = \"Type == 'x' && \"\nencoder = \"PayloadEncoder\"\n",
    );
    let run = site.run(&["-check"]);
    let text = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(text.contains("unknown config setting for 'PayloadEncoder': append_newline"), "{text}");
    assert!(text.contains("did you mean `append_newlines`?") && text.contains("hekad.toml:8:1"), "{text}");

    let site = Site::new(
        "[LogstreamerInput]\nfile_match = 'x'\nsplitter = \"TokenSpliter\"\n[PayloadEncoder]\n\
         [LogOutput]\nmessage_matcher = \"Type == 'x' && \"\nencoder = \"PayloadEncoder\"\n",
    );
    let run = site.run(&["-check"]);
    let text = String::from_utf8(run.stderr).unwrap();
    assert!(text.contains("LogstreamerInput specifies undefined splitter TokenSpliter"), "{text}");
    assert!(text.contains("did you mean `TokenSplitter`?"), "{text}");
    assert!(text.contains("Can't create message matcher for 'LogOutput': syntax error"), "{text}");
}

#[test]
fn the_command_line_is_checked() {
    let site = Site::new("");
    assert_eq!(site.run(&["-bogus"]).status.code(), Some(2));
    assert_eq!(site.run(&["-version"]).status.code(), Some(0));
    assert_eq!(site.run(&[]).status.code(), Some(1));
}
