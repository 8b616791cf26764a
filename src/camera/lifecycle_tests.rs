use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    linger: Duration::from_secs(5),
    start_timeout: Duration::from_secs(10),
    stall_timeout: Duration::from_secs(3),
};

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn broken() -> Event {
    Event::Ended(Failure::unexplained("broken"))
}

/// A lifecycle and the world around it: time, and the process that its actions start and stop.
struct World {
    life: Lifecycle,
    now: Instant,
    running: bool,
    stopping: bool,
    starts: u32,
    ends: u32,
    watched: bool,
    blocked: bool,
    unwatched_since: Instant,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            life: Lifecycle::new(LIMITS),
            now,
            running: false,
            stopping: false,
            starts: 0,
            ends: 0,
            watched: false,
            blocked: false,
            unwatched_since: now,
        }
    }

    fn tell(&mut self, event: Event) -> Option<Action> {
        match event {
            Event::Ended(_) => {
                assert!(self.running, "the test ends what runs only");
                (self.running, self.stopping) = (false, false);
                self.ends += 1;
            }
            Event::Watched(watched) => {
                if self.watched && !watched {
                    self.unwatched_since = self.now;
                }
                self.watched = watched;
            }
            Event::Blocked(blocked) => self.blocked = blocked,
            _ => {}
        }
        let action = self.life.handle(self.now, event);
        match action {
            Some(Action::Start) => {
                assert!(!self.running, "a second capture process");
                assert!(!self.blocked, "started while it may not run");
                self.running = true;
                self.starts += 1;
            }
            Some(Action::Stop) => {
                assert!(self.running && !self.stopping, "stopped what did not run, or twice");
                self.stopping = true;
            }
            None => {}
        }
        action
    }

    /// Lets time pass, with a tick whenever one is due, as the camera's task does.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.life.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.tell(Event::Tick);
        }
        self.now = end;
    }
}

#[test]
fn starts_for_a_viewer_lingers_after_the_last_and_stops() {
    let mut world = World::new();
    assert_eq!(world.tell(Event::Watched(true)), Some(Action::Start));
    assert_eq!(world.life.state(), State::Starting);
    world.tell(Event::Frame);
    assert_eq!(world.life.state(), State::Live);
    world.tell(Event::Watched(false));
    assert_eq!(world.life.state(), State::Lingering);
    world.pass(at(4.9));
    assert!(!world.stopping, "the linger is not over");
    world.pass(at(0.2));
    assert_eq!((world.life.state(), world.stopping), (State::Idle, true));
}

#[test]
fn a_reload_within_the_linger_keeps_the_capture() {
    let mut world = World::new();
    world.tell(Event::Watched(true));
    world.tell(Event::Frame);
    world.tell(Event::Watched(false));
    world.pass(at(2.0));
    assert_eq!(world.tell(Event::Watched(true)), None);
    assert_eq!((world.life.state(), world.starts), (State::Live, 1));
}

#[test]
fn a_viewer_who_comes_while_the_old_process_stops_waits_for_its_end() {
    let mut world = World::new();
    world.tell(Event::Watched(true));
    world.tell(Event::Watched(false));
    world.pass(at(6.0));
    assert_eq!(world.tell(Event::Watched(true)), None);
    assert_eq!(world.life.state(), State::Starting);
    assert_eq!(world.tell(broken()), Some(Action::Start));
}

#[test]
fn no_first_picture_and_no_further_picture_lead_to_back_off_with_a_reason() {
    let mut world = World::new();
    world.tell(Event::Watched(true));
    world.pass(at(10.0));
    assert_eq!((world.life.state(), world.stopping), (State::Backoff, true));
    assert!(world.life.failure().is_some_and(|f| f.reason.contains("no picture within 10s")));

    world.tell(broken());
    world.pass(at(0.5));
    world.tell(Event::Frame);
    assert_eq!((world.life.state(), world.life.failure().is_none()), (State::Live, true));
    world.pass(at(3.0));
    assert!(world.life.failure().is_some_and(|f| f.reason.contains("stalled")));
}

#[test]
fn back_off_doubles_to_its_longest_and_starts_anew_after_health() {
    let mut world = World::new();
    world.tell(Event::Watched(true));
    let mut waits = Vec::new();
    for _ in 0..9 {
        world.tell(broken());
        let wait = world.life.deadline().expect("back-off has an end") - world.now;
        waits.push(wait.as_secs_f64());
        world.pass(wait);
    }
    assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);

    for _ in 0..=30 {
        world.tell(Event::Frame);
        world.pass(at(1.0));
    }
    world.tell(Event::Frame);
    world.tell(broken());
    assert_eq!(world.life.deadline().expect("back-off") - world.now, FIRST_BACKOFF);
}

#[test]
fn reloading_the_page_does_not_shorten_a_back_off() {
    let mut world = World::new();
    world.tell(Event::Watched(true));
    world.tell(broken());
    for _ in 0..20 {
        world.tell(Event::Watched(false));
        assert_eq!(world.tell(Event::Watched(true)), None);
        assert_eq!(world.life.state(), State::Backoff);
    }
    assert_eq!(world.starts, 1);
    world.pass(at(0.5));
    assert_eq!(world.starts, 2);
}

#[test]
fn a_new_configuration_replaces_the_capture_once_the_old_one_has_ended() {
    let mut world = World::new();
    world.tell(Event::Watched(true));
    world.tell(Event::Frame);
    assert_eq!(world.tell(Event::Reconfigured), Some(Action::Stop));
    assert_eq!(world.life.state(), State::Starting);
    assert_eq!(world.tell(broken()), Some(Action::Start));
    assert_eq!(world.life.failure().map(ToString::to_string), None, "asked for, so no failure");
}

#[test]
fn nothing_starts_after_shutdown() {
    let mut world = World::new();
    world.tell(Event::Watched(true));
    assert_eq!(world.tell(Event::Shutdown), Some(Action::Stop));
    world.tell(broken());
    assert_eq!(world.tell(Event::Watched(true)), None);
    assert_eq!(world.tell(Event::Reconfigured), None);
    world.pass(at(100.0));
    assert_eq!(world.starts, 1);
}

#[test]
fn a_block_ends_what_runs_at_once_and_in_each_state() {
    let started = |world: &mut World| assert_eq!(world.tell(Event::Watched(true)), Some(Action::Start));
    let live = |world: &mut World| {
        started(world);
        world.tell(Event::Frame);
    };
    let lingering = |world: &mut World| {
        live(world);
        world.tell(Event::Watched(false));
    };
    let failed = |world: &mut World| {
        started(world);
        world.tell(broken());
    };
    let pending = |world: &mut World| {
        live(world);
        world.tell(Event::Reconfigured);
    };
    type Story<'a> = &'a dyn Fn(&mut World);
    let cases: [(State, bool, Story<'_>); 5] = [
        (State::Starting, true, &started),
        (State::Live, true, &live),
        (State::Lingering, true, &lingering),
        (State::Backoff, false, &failed),
        (State::Starting, true, &pending),
    ];
    for (state, runs, come) in cases {
        let mut world = World::new();
        come(&mut world);
        assert_eq!((world.life.state(), world.running), (state, runs));
        world.tell(Event::Blocked(true));
        assert_eq!((world.life.state(), world.stopping), (State::Idle, runs), "from {state:?}");
        world.pass(at(100.0));
        world.tell(Event::Watched(true));
        if world.running {
            world.tell(broken());
        }
        world.pass(at(100.0));
        assert_eq!((world.life.state(), world.running, world.starts), (State::Idle, false, 1));
        assert_eq!(world.tell(Event::Blocked(false)), Some(Action::Start), "somebody watches");
    }
}

#[test]
fn after_a_block_nothing_starts_that_nobody_watches() {
    let mut world = World::new();
    world.tell(Event::Blocked(true));
    world.tell(Event::Watched(true));
    world.tell(Event::Watched(false));
    assert_eq!(world.tell(Event::Blocked(false)), None);
    assert_eq!((world.life.state(), world.starts), (State::Idle, 0));
}

#[derive(Debug, Clone)]
enum Step {
    Blocked(bool),
    Watched(bool),
    Frame,
    End,
    Reconfigured,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<bool>().prop_map(Step::Watched),
        3 => Just(Step::Frame),
        2 => Just(Step::End),
        1 => Just(Step::Reconfigured),
        1 => any::<bool>().prop_map(Step::Blocked),
        3 => (0..12_000u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn whatever_happens(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Watched(watched) => drop(world.tell(Event::Watched(watched))),
                Step::Frame => drop(world.tell(Event::Frame)),
                Step::End if world.running => drop(world.tell(broken())),
                Step::End => {}
                Step::Reconfigured => drop(world.tell(Event::Reconfigured)),
                Step::Blocked(blocked) => drop(world.tell(Event::Blocked(blocked))),
                Step::Pass(ms) => world.pass(Duration::from_millis(ms)),
            }
            // World::tell has asserted: never two captures, none stopped twice.
            let state = world.life.state();
            if world.running && !world.stopping {
                prop_assert!(matches!(state, State::Starting | State::Live | State::Lingering), "runs in {state:?}");
                prop_assert!(world.watched || state == State::Lingering, "runs unwatched in {state:?}");
            }
            if world.blocked {
                prop_assert_eq!(state, State::Idle);
                prop_assert!(!world.running || world.stopping, "runs while it may not");
            } else if !world.watched {
                prop_assert!(matches!(state, State::Idle | State::Lingering), "unwatched in {state:?}");
                if world.now >= world.unwatched_since + LIMITS.linger {
                    prop_assert_eq!(state, State::Idle);
                    prop_assert!(!world.running || world.stopping, "runs after the linger");
                }
            } else {
                prop_assert!(!matches!(state, State::Idle | State::Lingering), "watched in {state:?}");
            }
            prop_assert_eq!(world.starts, world.ends + u32::from(world.running), "each start has one end");
        }

        world.tell(Event::Shutdown);
        if world.running {
            prop_assert!(world.stopping, "shutdown stops what runs");
            world.tell(broken());
        }
        prop_assert_eq!((world.starts, world.life.state()), (world.ends, State::Idle));
    }
}
