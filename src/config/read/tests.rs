use std::path::Path;

use super::read;

fn found(text: &str) -> Vec<String> {
    let (_, errors) = read(Path::new("c.toml"), text);
    errors.iter().map(ToString::to_string).collect()
}

/// Reads a text and expects these errors, without the file's name.
#[track_caller]
fn errors(text: &str, expected: &[&str]) {
    let found = found(text);
    let expected: Vec<_> = expected.iter().map(|error| format!("c.toml:{error}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn all_errors_are_found_in_the_order_of_the_file() {
    errors(
        "listen = 3000\n[log]\nlevel = \"inof\"\n[[camera]]\nintervall = \"1s\"\nquality = 101\nhflip = \"true\"\n",
        &[
            "1:10: listen: expected an address and a port such as 127.0.0.1:3000, found the number 3000; write \
             \"127.0.0.1:3000\" for this machine only, or \"0.0.0.0:3000\" for the network",
            "3:9: log.level: expected one of error, warn, info, debug, trace, found \"inof\"; did you mean \"info\"?",
            "5:1: camera.intervall: unknown key; did you mean interval?",
            "6:11: camera.quality: expected an integer from 1 to 100, found the number 101",
            "7:9: camera.hflip: expected true or false, found \"true\"; write true, without quotes",
        ],
    );
}

#[test]
fn a_time_needs_its_unit_and_its_limits() {
    let hint = "; write it with its unit, such as \"100ms\", \"5s\" or \"1m 30s\"";
    errors(
        "[[camera]]\ninterval = 100\nlinger = \"5\"\nstart_timeout = \"6m\"\nstall_timeout = 00:00:05\n",
        &[
            &format!("2:12: camera.interval: expected a time from 20ms to 24h, found the number 100{hint}"),
            &format!("3:10: camera.linger: expected a time from 0s to 1h, found \"5\"{hint}"),
            "4:17: camera.start_timeout: expected a time from 1s to 5m, found \"6m\"",
            &format!(
                "5:17: camera.stall_timeout: expected a time from 1s to 24h, found the date or time 00:00:05{hint}"
            ),
        ],
    );
}

#[test]
fn a_time_on_which_humantime_panics_is_an_error() {
    let text = "[[camera]]\ninterval = \"18446744073709551615s 1000ms\"\n";
    assert_eq!(read(Path::new("c.toml"), text).1.len(), 1);
}

#[test]
fn a_key_in_the_wrong_section_is_told_the_right_one() {
    errors(
        "interval = \"1s\"\nlevel = \"info\"\nport = 80\n[log]\nallow_disk = true\n[[camera]]\nfps = 10\nlog.level = 1\n[[cameras]]\n[web]\n",
        &[
            "1:1: interval: unknown key; it belongs under [[camera]]",
            "2:1: level: unknown key; it belongs under [log]",
            "3:1: port: unknown key; did you mean listen?",
            "5:1: log.allow_disk: unknown key; it belongs at the top of the file, before the first [section]",
            "7:1: camera.fps: unknown key; did you mean interval?",
            "8:1: camera.log: unknown key; it belongs at the top of the file, before the first [section]",
            "9:3: cameras: unknown key; did you mean [[camera]]?",
            "10:2: web: unknown key; docs/configuration.md lists the keys",
        ],
    );
}

#[test]
fn two_cameras_of_one_name_are_an_error_that_names_the_first() {
    errors(
        "[[camera]]\nname = \"tank\"\n[[camera]]\n[[camera]]\nname = \"tank\"\n[[camera]]\nquality = 0\n",
        &[
            "5:8: camera[2].name: the camera on line 2 is named \"tank\" already; give each camera a name of its own",
            "6:1: camera[3].name: the camera on line 3 is named \"camera\" already; give each camera a name of its own",
            "7:11: camera[3].quality: expected an integer from 1 to 100, found the number 0",
        ],
    );
}

#[test]
fn a_command_goes_with_the_kind_command_and_is_not_quoted() {
    errors(
        "[[camera]]\nname = \"a\"\nkind = \"command\"\n[[camera]]\nname = \"b\"\ncommand = \"ffmpeg rtsp://me:secret@host\"\n\
         [[camera]]\nname = \"c\"\nkind = \"comand\"\ncommand = \"x\"\n",
        &[
            "3:8: camera[0].command: a camera of kind \"command\" needs a command line; add command = \"…\", or take another kind",
            "6:11: camera[1].command: a camera of kind \"auto\" takes no command line; write kind = \"command\", or leave the command out",
            "9:8: camera[2].kind: expected one of auto, pattern, libcamera, rpicam, v4l2, command, replay, push, found \"comand\"; did you mean \"command\"?",
        ],
    );
}

#[test]
fn an_upload_token_goes_with_the_kind_push_and_is_not_quoted() {
    let hash = format!("sha256-{}", "0123456789abcdef".repeat(4));
    errors(
        &format!(
            "[[camera]]\nname = \"a\"\nupload_token = \"{hash}\"\n[[camera]]\nname = \"b\"\nkind = \"push\"\n\
             upload_token = \"the secret itself\"\n[[camera]]\nname = \"c\"\nkind = \"push\"\nrest = \"0s\"\n\
             [[camera]]\nname = \"d\"\nkind = \"push\"\nupload_token = \"{hash}\"\nrest = \"1h\"\n"
        ),
        &[
            "3:16: camera[0].upload_token: a camera of kind \"auto\" takes no uploads; write kind = \"push\", or leave the upload_token out",
            "7:16: camera[1].upload_token: expected \"sha256-\" and 64 hexadecimal digits, or nothing, found another text; eyelid token NAME makes a token and prints this line",
            "11:8: camera[2].rest: expected a time from 1s to 1h, found \"0s\"",
        ],
    );
}

#[test]
fn what_is_shown_and_when_is_checked_alone_and_together() {
    errors(
        "[[camera]]\nname = \"a\"\n[camera.offline]\nfolder = \"here\"\nremember = \"11m\"\ninterval = \"50ms\"\nannounced = true\n\
         [camera.privacy]\ninterleave = 1.5\nquiet = [\"22:00-06:30\", \"25:00-06:00\"]\nswitch = \"gpio17\"\ndelay = 30\n\
         [[camera]]\nname = \"b\"\n[camera.offline]\nfolder = \"/srv/b\"\nremember = \"10s\"\n[camera.privacy]\nshortest = \"3m\"\n\
         [[camera]]\nname = \"c\"\n[camera.privacy]\ninterleave = 0.5\n[[camera]]\nname = \"d\"\noffline = 5\n",
        &[
            "4:10: camera[0].offline.folder: expected an absolute path of at most 1000 bytes, found \"here\"",
            "5:12: camera[0].offline.remember: expected a time from 0s to 10m, found \"11m\"",
            "6:12: camera[0].offline.interval: expected a time from 100ms to 1h, found \"50ms\"",
            "7:1: camera[0].offline.announced: unknown key; did you mean announce?",
            "9:14: camera[0].privacy.interleave: expected a number from 0.0 to 1.0, found the number 1.5",
            "10:25: camera[0].privacy.quiet: expected hours such as 22:00-06:30, from 00:00 to 24:00, which end at another time than they begin, found \"25:00-06:00\"",
            "11:10: camera[0].privacy.switch: expected an absolute path, or a GPIO line such as gpiochip0:17 or gpiochip0:17:low, or nothing, found \"gpio17\"",
            "12:9: camera[0].privacy.delay: expected a time from 0s to 10m, found the number 30; write it with its unit, such as \"100ms\", \"5s\" or \"1m 30s\"",
            "17:12: camera[1].offline.remember: recorded pictures come from a folder or are remembered, not both; leave folder or remember out",
            "19:12: camera[1].privacy.shortest: the shortest recorded stretch is longer than the longest; make longest longer",
            "23:14: camera[2].privacy.interleave: there are no recorded pictures to interleave; set folder = \"…\" or remember = \"30s\" under [camera.offline]",
            "26:11: camera[3].offline: expected a section, found the number 5; write [camera.offline]",
        ],
    );
}

#[test]
fn cameras_are_a_list_of_sections() {
    errors("camera = []\n", &["1:10: camera: expected at least one camera, found none; leave this key out"]);
    errors(
        "camera = [1, { quality = 0 }]\n",
        &[
            "1:11: camera[0]: expected cameras, each under a line [[camera]], found the number 1",
            "1:26: camera[1].quality: expected an integer from 1 to 100, found the number 0",
        ],
    );
    errors(
        "[camera]\nquality = 0\n",
        &[
            "1:2: camera: expected cameras, each under a line [[camera]], found a section; write [[camera]], in two brackets",
            "2:11: camera.quality: expected an integer from 1 to 100, found the number 0",
        ],
    );
    errors("log = 5\n", &["1:7: log: expected a section, found the number 5; write [log]"]);
}

#[test]
fn host_names_are_checked_one_by_one() {
    let (config, errors_found) = read(Path::new("c.toml"), "hosts = [\"Cam.Example.org\"]\n");
    assert_eq!((config.hosts, errors_found), (vec!["cam.example.org".to_owned()], vec![]));
    errors(
        "hosts = [\"a.example\",\n  \"https://b.example\", 5]\n",
        &[
            "2:3: hosts: expected a host name such as camera.example.org, without scheme, port or path, found \
           \"https://b.example\"",
        ],
    );
}

#[test]
fn syntax_errors_hide_nothing_but_what_follows_from_them() {
    errors(
        "listen = 127.0.0.1:3000\nhosts = \nallow_disk = 1\n[[camera]]\nsize = 640x480\nsize = \"1x1\"\nname = \"x\n",
        &[
            "1:10: expected a value, found text without quotes; write listen = \"…\", in quotes",
            "2:9: expected a value, found nothing; write one after \"hosts =\", or leave the key out",
            "3:14: allow_disk: expected true or false, found the number 1",
            "5:8: expected a value, found text without quotes; write size = \"…\", in quotes",
            "6:1: this key stands here for the second time; leave one of the two out",
            "7:10: invalid basic string, expected `\"`",
        ],
    );
}

#[test]
fn what_stands_after_a_broken_header_is_not_judged() {
    errors(
        "x = 1\n[[camera]\ny = 2\n[log]\nlevel = 5\n",
        &[
            "1:1: x: unknown key; docs/configuration.md lists the keys",
            "2:10: unclosed array table, expected `]`",
        ],
    );
}

#[test]
fn the_excerpt_marks_the_place() {
    let (_, errors) = read(Path::new("c.toml"), "\n\n[[camera]]\n\tquality\t= 1000 # é\r\n");
    assert_eq!(
        format!("{:#}", errors[0]),
        "c.toml:4:12: camera.quality: expected an integer from 1 to 100, found the number 1000\n   |\n 4 |  quality = 1000 # é\n   |            ^^^^"
    );
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("# \nhosts = [{} 5]\n", "\"a\", ".repeat(1000));
    let (_, errors) = read(Path::new("c.toml"), &text);
    let shown = format!("{:#}", errors[0]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[2].chars().position(|c| c == '5'), lines[3].chars().position(|c| c == '^'));
    assert!(lines[2].chars().count() < 120);
}

#[test]
fn a_flood_of_errors_is_cut_short() {
    let text: String = (0..1000).map(|index| format!("key{index} = 1\n")).collect();
    let (_, errors) = read(Path::new("c.toml"), &text);
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100].to_string(), "c.toml: 900 more errors");
}

#[test]
fn cameras_without_end_are_refused() {
    let cameras = |count| (0..count).map(|n| format!("[[camera]]\nname = \"c{n}\"\n")).collect::<String>();
    errors(&cameras(64), &[]);
    errors(&cameras(70), &["129:1: camera: expected at most 64 cameras, found 70"]);
}

#[test]
fn what_to_replay_goes_with_the_kind_replay() {
    let text = "[[camera]]\nkind = \"replay\"\n[[camera]]\nname = \"b\"\nreplay = \"/films\"\n";
    assert_eq!(
        found(text),
        [
            "c.toml:2:8: camera[0].replay: a camera of kind \"replay\" needs a path; add replay = \"…\", or take \
             another kind",
            "c.toml:5:10: camera[1].replay: a camera of kind \"auto\" takes no path; write kind = \"replay\", or \
             leave the replay out",
        ]
    );
}

#[test]
fn what_is_done_to_the_picture_is_checked_and_explained() {
    let text = "[[camera]]\nmasks = [\"0%,0%,25%,25%\", \"90%,0%,25%,25%\"]\ncrop = \"0,0,10,10\"\nrotate = 45\n\
                overlay = \"%H:%M:%\"\nmax_size = \"641x480\"\noverlay_position = \"bottom\"\n";
    let errors = found(text);
    for (error, part) in errors.iter().zip([
        "c.toml:2:27: camera.masks: expected LEFT,TOP,WIDTH,HEIGHT in percent and within the picture, such as \
         0%,0%,25%,12.5%, found \"90%,0%,25%,25%\"",
        "c.toml:3:8: camera.crop: expected LEFT,TOP,WIDTH,HEIGHT in percent and within the picture, such as \
         0%,0%,25%,12.5%, or nothing, found \"0,0,10,10\"",
        "c.toml:4:10: camera.rotate: expected 0, 90, 180 or 270, found the number 45",
        "c.toml:5:11: camera.overlay: expected a text of at most 200 characters on one line, with codes of strftime \
         such as %H:%M:%S, found \"%H:%M:%\"; ",
        "c.toml:6:12: camera.max_size: expected WIDTHxHEIGHT, both even and from 16 to 8192, such as 1280x720, or \
         nothing, found \"641x480\"",
        "c.toml:7:20: camera.overlay_position: expected one of top-left, top-right, bottom-left, bottom-right, found \
         \"bottom\"; did you mean \"bottom-left\"?",
    ]) {
        assert!(error.starts_with(part), "{error}");
    }
    assert_eq!(errors.len(), 6, "{errors:?}");
}

#[test]
fn metadata_is_not_kept_where_it_would_show_what_is_hidden() {
    let text = "[[camera]]\nkeep_metadata = true\nmasks = [\"0%,0%,25%,25%\"]\n";
    assert_eq!(
        found(text),
        [
            "c.toml:2:17: camera.keep_metadata: metadata can't be kept with masks: the picture is encoded anew; leave one \
          of the two out"
        ]
    );
}

#[test]
fn what_is_run_at_a_wave_is_a_program_with_its_arguments() {
    let camera = |value: &str| format!("[[camera]]\non_wave = {value}\n");
    let list = "a program and its arguments such as [\"/usr/local/bin/greet\", \"17\"], or []";
    errors(&camera("[]"), &[]);
    errors(&camera("[\"gpioset\", \"\", \"a b; $c\"]"), &[]);
    errors(
        &camera("\"greet 17\""),
        &[&format!(
            "2:11: camera.on_wave: expected {list}, found \"greet 17\"; put program and arguments in brackets, each \
             in quotes: there is no shell"
        )],
    );
    for nameless in ["[\"\"]", "[\" \", \"17\"]"] {
        errors(
            &camera(nameless),
            &["2:11: camera.on_wave: the program has no name; write [] to run nothing"],
        );
    }
    errors(
        &camera("[\"./greet\"]"),
        &[
            "2:11: camera.on_wave: expected an absolute path, or the name of a program in PATH, found \"./greet\"",
        ],
    );
    errors(
        &camera("[\"greet\", 17]"),
        &[
            "2:21: camera.on_wave: expected a text of at most 4000 bytes without a NUL byte, found the number 17; \
           write \"17\", in quotes",
        ],
    );
    let many = format!("[{}]", "\"a\", ".repeat(65));
    errors(&camera(&many), &["2:11: camera.on_wave: expected at most 64 texts, found 65"]);
}
