use std::fs;

use super::*;

const PASSWORD: &str = "correct horse";

struct House {
    folder: tempfile::TempDir,
    access: Access,
}

impl House {
    fn new(listen: &str, rule: AccessRule) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(folder.path(), &config(listen, rule));
        Self { folder, access }
    }

    /// The daemon ends, and starts again.
    fn restart(&mut self, listen: &str, rule: AccessRule) {
        self.access = Access::open(self.folder.path(), &config(listen, rule));
    }

    async fn choose(&self, password: &str) -> Credential {
        let code = self.access.code().unwrap();
        let choice = Choice::Password(password.into());
        session(&self.access.set_up(&code, choice, browser()).await.unwrap().unwrap())
    }
}

fn config(listen: &str, access: AccessRule) -> Config {
    Config { listen: listen.parse().unwrap(), access, ..Config::default() }
}

fn browser() -> Browser {
    Browser { address: Some("192.0.2.7".parse().unwrap()), agent: "Mozilla/5.0\n(X11)".into() }
}

fn session(token: &str) -> Credential {
    Credential::Session(TokenHash::of(token))
}

const LAN: &str = "0.0.0.0:3000";
const HERE: &str = "127.0.0.1:3000";

#[tokio::test]
async fn nobody_gets_in_from_the_network_before_the_owner_has_chosen() {
    for (listen, rule, mode) in [
        (HERE, AccessRule::Auto, Mode::Open),
        (HERE, AccessRule::Password, Mode::Setup),
        (HERE, AccessRule::Open, Mode::Open),
        (LAN, AccessRule::Auto, Mode::Setup),
        ("[::]:3000", AccessRule::Auto, Mode::Setup),
        (LAN, AccessRule::Password, Mode::Setup),
        (LAN, AccessRule::Open, Mode::Open),
    ] {
        let mut house = House::new(listen, rule);
        assert_eq!(house.access.mode(), mode, "{listen} {rule:?}");
        let everybody = if mode == Mode::Open { Who::Everybody } else { Who::Nobody };
        assert_eq!(house.access.who(Credential::None), everybody);
        assert_eq!(house.access.who(session("x")), everybody);
        assert_eq!(house.access.who(Credential::Local), Who::Local);
        // What is broken lets nobody in, on this machine neither.
        fs::write(house.folder.path().join(FILE_NAME), "{").unwrap();
        house.restart(listen, rule);
        let mode = if rule == AccessRule::Open { Mode::Open } else { Mode::Setup };
        assert_eq!(house.access.mode(), mode, "{listen} {rule:?}");
    }
}

#[tokio::test]
async fn a_chosen_password_outlives_a_restart_and_is_asked_for_on_this_machine_too() {
    let mut house = House::new(LAN, AccessRule::Auto);
    let owner = house.choose(PASSWORD).await;
    for listen in [LAN, HERE] {
        house.restart(listen, AccessRule::Auto);
        assert_eq!(house.access.mode(), Mode::Password);
        assert_eq!((house.access.who(owner), house.access.who(Credential::None)), (Who::Owner, Who::Nobody));
    }
    let kept = fs::read_to_string(house.folder.path().join(FILE_NAME)).unwrap();
    assert!(!kept.contains(PASSWORD) && kept.contains("$argon2id$"), "{kept}");
    house.restart(LAN, AccessRule::Open);
    assert_eq!(house.access.who(Credential::None), Who::Everybody);
}

#[tokio::test]
async fn a_code_is_good_once_and_only_as_it_was_told() {
    let house = House::new(LAN, AccessRule::Auto);
    let code = house.access.code().unwrap();
    assert_eq!(house.access.code().unwrap(), code, "it is told again");
    let open = |code: String| {
        let access = house.access.clone();
        async move { access.set_up(&code, Choice::Open, browser()).await }
    };
    assert!(matches!(open("".into()).await, Err(Refused::WrongCode)));
    assert!(matches!(open(code[1..].into()).await, Err(Refused::WrongCode)));
    let short = house.access.set_up(&code, Choice::Password("too short".into()), browser()).await;
    assert!(matches!(short, Err(Refused::BadPassword)));
    assert_eq!(house.access.mode(), Mode::Setup);
    assert!(matches!(open(format!(" {code}\n")).await, Ok(None)));
    assert_eq!(house.access.mode(), Mode::Open);
    assert!(matches!(open(code.clone()).await, Err(Refused::WrongCode)));
    // A forgotten password: with a new code the owner chooses anew.
    let other = house.access.code().unwrap();
    assert_ne!(other, code);
    house.choose(PASSWORD).await;
    assert_eq!(house.access.mode(), Mode::Password);
}

#[tokio::test]
async fn the_file_has_the_last_word_on_who_may_look() {
    let open = House::new(LAN, AccessRule::Open);
    let code = open.access.code().unwrap();
    let chosen = open.access.set_up(&code, Choice::Password(PASSWORD.into()), browser()).await;
    assert!(matches!(chosen, Err(Refused::Configured(AccessRule::Open))));
    let closed = House::new(LAN, AccessRule::Password);
    let code = closed.access.code().unwrap();
    let chosen = closed.access.set_up(&code, Choice::Open, browser()).await;
    assert!(matches!(chosen, Err(Refused::Configured(AccessRule::Password))));
}

#[tokio::test]
async fn signing_in_makes_a_new_session_in_place_of_the_old_one() {
    let house = House::new(LAN, AccessRule::Auto);
    let first = house.choose(PASSWORD).await;
    let wrong = house.access.login("wrong horse".into(), browser(), Credential::None).await;
    assert!(matches!(wrong, Err(Refused::WrongPassword)));
    let second = session(&house.access.login(PASSWORD.into(), browser(), first).await.unwrap());
    assert_eq!((house.access.who(first), house.access.who(second)), (Who::Nobody, Who::Owner));
    let known = &house.access.sessions()[0];
    assert_eq!((known.from.as_str(), known.agent.as_str()), ("192.0.2.7", "Mozilla/5.0(X11)"));
    let third = session(&house.access.login(PASSWORD.into(), browser(), Credential::None).await.unwrap());
    house.access.end_session(&house.access.sessions()[0].id).await.unwrap();
    assert_eq!((house.access.who(second), house.access.who(third)), (Who::Nobody, Who::Owner));
    assert!(matches!(house.access.end_session("none").await, Err(Refused::Unknown)));
    house.access.logout(third, false).await.unwrap();
    assert_eq!(house.access.who(third), Who::Nobody);
}

#[tokio::test]
async fn a_changed_password_ends_all_sessions_but_this_one() {
    let house = House::new(LAN, AccessRule::Auto);
    let one = house.choose(PASSWORD).await;
    let other = session(&house.access.login(PASSWORD.into(), browser(), Credential::None).await.unwrap());
    let change = |old: &str, new: &str| {
        let (access, old, new) = (house.access.clone(), old.to_owned(), new.to_owned());
        async move { access.change_password(old, new, None, one).await }
    };
    assert!(matches!(change("wrong horse", "battery staple").await, Err(Refused::WrongPassword)));
    assert!(matches!(change(PASSWORD, "short").await, Err(Refused::BadPassword)));
    assert_eq!(house.access.who(other), Who::Owner);
    change(PASSWORD, "battery staple").await.unwrap();
    assert_eq!((house.access.who(one), house.access.who(other)), (Who::Owner, Who::Nobody));
    assert!(house.access.login(PASSWORD.into(), browser(), Credential::None).await.is_err());
    house.access.logout(one, true).await.unwrap();
    assert_eq!(house.access.sessions().len(), 0);
}

#[tokio::test]
async fn of_ten_thousand_guesses_few_are_looked_at() {
    let house = House::new(LAN, AccessRule::Auto);
    house.choose(PASSWORD).await;
    let mut looked_at = 0;
    for number in 0..10_000_u32 {
        let from = Some(std::net::Ipv4Addr::from(0x0a00_0000 + number / 3).into());
        let guess = Browser { address: from, agent: String::new() };
        match house.access.login(format!("password {number}"), guess, Credential::None).await {
            Err(Refused::WrongPassword) => looked_at += 1,
            Err(Refused::TooManyGuesses(pause)) => assert!(!pause.is_zero()),
            other => panic!("{other:?}"),
        }
    }
    assert!((5..=50).contains(&looked_at), "{looked_at}");
}

#[tokio::test]
async fn an_app_password_looks_and_is_revoked_alone() {
    let house = House::new(LAN, AccessRule::Auto);
    house.choose(PASSWORD).await;
    let (one, app) = house.access.add_app("OctoPrint".into()).await.unwrap();
    let (two, _) = house.access.add_app("VLC".into()).await.unwrap();
    let who = |password: &str| house.access.who(Credential::App(TokenHash::of(password)));
    assert_eq!((who(&one), who(&two), who("x")), (Who::Viewer(None), Who::Viewer(None), Who::Nobody));
    house.access.remove_app(&app.id).await.unwrap();
    assert_eq!((who(&one), who(&two)), (Who::Nobody, Who::Viewer(None)));
}

#[tokio::test]
async fn a_link_lets_so_many_guests_look_at_its_camera_until_it_is_revoked() {
    let mut house = House::new(LAN, AccessRule::Auto);
    house.choose(PASSWORD).await;
    let door: CameraName = "door".parse().unwrap();
    let new = NewLink {
        name: "aunt".into(),
        camera: Some(door.clone()),
        lasts: Duration::from_secs(3600),
        viewers: 2,
    };
    let (token, link) = house.access.add_link(new).await.unwrap();
    assert!(matches!(house.access.redeem("x", browser(), Credential::None).await, Err(Refused::WrongLink)));
    let (one, _) = house.access.redeem(&token, browser(), Credential::None).await.unwrap();
    let one = one.unwrap();
    let again = house.access.redeem(&token, browser(), session(&one)).await.unwrap();
    assert_eq!((again.0, again.1.used), (None, 1), "who is in takes no other place");
    let (two, _) = house.access.redeem(&token, browser(), Credential::None).await.unwrap();
    let two = two.unwrap();
    assert!(matches!(
        house.access.redeem(&token, browser(), Credential::None).await,
        Err(Refused::LinkUsedUp)
    ));
    house.restart(LAN, AccessRule::Auto);
    for token in [&one, &two] {
        assert_eq!(house.access.who(session(token)), Who::Viewer(Some(door.clone())));
    }
    let mut changes = house.access.changes();
    changes.mark_unchanged();
    house.access.remove_link(&link.id).await.unwrap();
    assert!(changes.has_changed().unwrap());
    assert_eq!(house.access.who(session(&one)), Who::Nobody);
    assert!(matches!(
        house.access.redeem(&token, browser(), Credential::None).await,
        Err(Refused::WrongLink)
    ));
    assert_eq!(house.access.sessions().len(), 1, "the owner's");
}

#[tokio::test]
async fn a_link_ends_by_itself_and_who_watches_by_it_is_told() {
    let house = House::new(LAN, AccessRule::Auto);
    house.choose(PASSWORD).await;
    let shutdown = CancellationToken::new();
    let expiring = tokio::spawn(house.access.clone().expire(shutdown.clone()));
    let new =
        |ms| NewLink { name: String::new(), camera: None, lasts: Duration::from_millis(ms), viewers: 1 };
    house.access.add_link(new(3_600_000)).await.unwrap();
    let (token, _) = house.access.add_link(new(300)).await.unwrap();
    let guest = match house.access.redeem(&token, browser(), Credential::None).await {
        Ok((guest, _)) => session(&guest.unwrap()),
        // The machine was slow, and it is over already.
        Err(refused) => return assert!(matches!(refused, Refused::WrongLink)),
    };
    let mut changes = house.access.changes();
    while house.access.who(guest) != Who::Nobody || house.access.sessions().len() > 1 {
        changes.changed().await.unwrap();
    }
    assert_eq!(house.access.links().len(), 1);
    shutdown.cancel();
    expiring.await.unwrap();
}

#[tokio::test]
async fn what_can_t_be_kept_did_not_happen() {
    let house = House::new(LAN, AccessRule::Auto);
    let owner = house.choose(PASSWORD).await;
    // Writing to /dev/full fails as on a full disk, and a link takes the temporary file there.
    let part = house.folder.path().join(format!("{FILE_NAME}.part"));
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let failed = |refused| assert!(matches!(refused, Refused::NotKept(_)), "{refused:?}");
    failed(house.access.add_app("VLC".into()).await.map(drop).unwrap_err());
    assert_eq!(house.access.apps().len(), 0);
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    failed(
        house
            .access
            .change_password(PASSWORD.into(), "battery staple".into(), None, owner)
            .await
            .unwrap_err(),
    );
    house.access.login(PASSWORD.into(), browser(), Credential::None).await.unwrap();
    let code = house.access.code().unwrap();
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    failed(house.access.set_up(&code, Choice::Open, browser()).await.map(drop).unwrap_err());
    assert_eq!((house.access.mode(), house.access.who(owner)), (Mode::Password, Who::Owner));
    house.access.set_up(&code, Choice::Open, browser()).await.unwrap();
    assert_eq!(house.access.mode(), Mode::Open);
}
