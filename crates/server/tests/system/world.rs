//! One world: its machines, what befalls them, and its end.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use message_extensions_core::limits::Limits;
use message_extensions_server::config::{Config, DEFAULT_ADMIN};
use message_extensions_server::in_process::Service;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};
use turmoil::{Builder, Sim};

use crate::claims::{check_promises, unrest};
use crate::disk::{Disk, Node};
use crate::history::GROUP;
use crate::network::{Port, post};
use crate::page::{Common, Input, open, signature, user_name};

pub(crate) const APP: u64 = 1;
pub(crate) const SECRET: &str = "a secret key for a world";
pub(crate) const MESSAGE_ID: &str = "u0-1-1";

/// Milliseconds of the world. Faults happen until then; after it all machines and the network are well, and everything must come to
/// rest.
pub(crate) const TROUBLE: u64 = 30_000;
const REST: u64 = 150_000;
/// What arrives within this time is delivered together.
const TICK: Duration = Duration::from_millis(10);
const LATENCY: Duration = Duration::from_millis(60);
const OPERATOR: &str = "operator";

/// The time of the world.
pub(crate) fn now_ms() -> u64 {
    turmoil::sim_elapsed().map_or(0, |elapsed| elapsed.as_millis() as u64)
}

/// What befalls machines and the network between them.
#[derive(Debug)]
enum Fault {
    /// A machine's program is killed; its connections are closed.
    Kill(String),
    /// The machine loses power: nobody is told.
    PowerCut(String),
    Start(String),
    /// What is sent between the two is lost.
    Partition(String, String),
    /// What is sent one way is lost.
    OneWay(String, String),
    /// What is sent between the two arrives when the network is well again.
    Hold(String, String),
    /// The network between the two is slow.
    Slow(String, String, Duration),
    Heal(String, String),
    /// The operator makes somebody a member, or removes them.
    Member(String, bool),
}

struct World<'a> {
    sim: Sim<'a>,
    chance: Rng,
    common: Rc<Common>,
    servers: Vec<String>,
    /// By page, its user.
    pages: Vec<usize>,
    faults: Vec<(u64, Fault)>,
    operator: UnboundedSender<(String, bool)>,
}

/// Runs the world of a seed to its end; says what its trace adds up to.
pub(crate) fn run(seed: u64) -> u64 {
    let mut world = World::new(seed);
    world.run();
    let history = world.common.history();
    eprintln!(
        "world {seed}: {} servers, {} pages, up to Seq {}, at rest after {:?}",
        world.servers.len(),
        world.pages.len(),
        history.message.latest_seq,
        world.sim.elapsed()
    );
    history.hash()
}

fn page_name(number: usize) -> String {
    format!("page{number}")
}

impl World<'_> {
    fn new(seed: u64) -> Self {
        let mut chance = Rng::with_seed(seed);
        let number = chance.usize(3..=6);
        // Half of the time the third is another tab of the first. The last one is not of the group.
        let tabs = chance.bool();
        let pages: Vec<_> = (0..number).map(|i| if tabs && i == 2 { 0 } else { i }).collect();
        let members = pages[..number - 1].iter().map(|user| user_name(*user)).collect();
        let servers = if chance.bool() { 1 } else { chance.usize(2..=3) };
        let servers: Vec<_> = (0..servers).map(|i| format!("server{i}")).collect();
        let disk = Arc::new(Disk::new(members, chance.fork()));
        let common = Rc::new(Common::new(disk, servers.clone(), number, chance.fork()));
        let sim = Builder::new()
            .rng_seed(seed)
            .enable_random_order()
            .tick_duration(TICK)
            .simulation_duration(Duration::MAX)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(LATENCY)
            .tcp_capacity(1024)
            .build();
        let (operator, asked) = unbounded_channel();
        let mut world = Self { sim, chance, common, servers, pages, faults: Vec::new(), operator };
        world.machines(asked);
        world.plan();
        world
    }

    fn machines(&mut self, asked: UnboundedReceiver<(String, bool)>) {
        for name in &self.servers {
            let (disk, is_shared) = (Arc::clone(&self.common.disk), self.servers.len() > 1);
            self.sim.host(name.as_str(), move || {
                let store = Arc::new(Node::new(&disk, is_shared));
                async move {
                    let mut config = Config::new(APP, SECRET);
                    config.limits = Limits {
                        writes_per_minute: 0,
                        user_writes_per_minute: 0,
                        user_calls_per_second: 0,
                        ..Limits::DEFAULT
                    };
                    Service::new(config, store).serve(Port::open().await?).await?;
                    Ok(())
                }
            });
        }
        for (number, user) in self.pages.iter().copied().enumerate() {
            let common = self.common.clone();
            self.sim.host(page_name(number), move || open(common.clone(), number, user));
        }
        self.sim.client(OPERATOR, operate(self.common.clone(), asked));
    }

    /// Decides what will go wrong, and when it ends.
    fn plan(&mut self) {
        let rate = self.chance.u64(500..5000);
        let mut at = self.chance.u64(0..2 * rate);
        while at < TROUBLE {
            let until = (at + self.chance.u64(0..10_000)).min(TROUBLE);
            self.fault(at, until);
            at += self.chance.u64(0..2 * rate);
        }
        let number = self.chance.usize(0..self.pages.len() - 1);
        let user = user_name(self.pages[number]);
        for is_member in [false, true] {
            if self.chance.bool() {
                let at = self.chance.u64(0..TROUBLE);
                self.faults.push((at, Fault::Member(user.clone(), is_member)));
            }
        }
        self.faults.sort_by_key(|(at, _)| *at);
    }

    fn fault(&mut self, at: u64, until: u64) {
        let server = self.servers[self.chance.usize(0..self.servers.len())].clone();
        let page = page_name(self.chance.usize(0..self.pages.len()));
        let (begins, ends) = match self.chance.u8(0..10) {
            0..=1 => (Fault::Kill(server.clone()), Fault::Start(server)),
            2 => (Fault::PowerCut(server.clone()), Fault::Start(server)),
            3 => (Fault::Kill(page.clone()), Fault::Start(page)),
            4 => (Fault::PowerCut(page.clone()), Fault::Start(page)),
            5 => (Fault::Partition(server.clone(), page.clone()), Fault::Heal(server, page)),
            6 => (Fault::OneWay(server.clone(), page.clone()), Fault::Heal(server, page)),
            7 => (Fault::OneWay(page.clone(), server.clone()), Fault::Heal(server, page)),
            8 => (Fault::Hold(server.clone(), page.clone()), Fault::Heal(server, page)),
            _ => {
                let latency = Duration::from_millis(self.chance.u64(100..5000));
                (Fault::Slow(server.clone(), page.clone(), latency), Fault::Heal(server, page))
            }
        };
        self.faults.push((at, begins));
        self.faults.push((until, ends));
    }

    fn run(&mut self) {
        let faults = std::mem::take(&mut self.faults);
        for (at, fault) in faults {
            self.step_until(at);
            self.common.history().trace(&format!("from {at}: {fault:?}"));
            self.befall(fault);
        }
        self.step_until(TROUBLE);
        self.mend();
        let (mut at, mut well_since) = (TROUBLE, None);
        // At rest is what has not moved for a while.
        while well_since.is_none_or(|since| at - since < 3000) {
            self.look();
            at += 1000;
            self.step_until(at);
            match unrest(&self.common, self.pages.len()) {
                None => well_since = well_since.or(Some(at)),
                Some(why) => {
                    assert!(at < REST, "no rest: {why}");
                    well_since = None;
                }
            }
        }
        check_promises(&self.common);
    }

    fn step_until(&mut self, ms: u64) {
        while self.sim.elapsed() < Duration::from_millis(ms) {
            self.sim.step().unwrap();
            crate::fail_if_panicked();
        }
    }

    /// Whoever is a member looks at the message.
    fn look(&self) {
        for (number, user) in self.pages.iter().enumerate() {
            if self.common.history().members.contains(&user_name(*user))
                && let Some(page) = self.common.page(number).as_ref()
            {
                page.tell(Input::Look);
            }
        }
    }

    fn befall(&mut self, fault: Fault) {
        match fault {
            Fault::Kill(name) => self.stop(&name),
            Fault::PowerCut(name) => {
                let others: Vec<_> = self.names().filter(|other| *other != name).collect();
                for other in &others {
                    self.sim.partition(name.as_str(), other.as_str());
                }
                self.stop(&name);
                for other in &others {
                    self.sim.repair(name.as_str(), other.as_str());
                }
            }
            Fault::Start(name) => self.start(&name),
            Fault::Partition(a, b) => self.sim.partition(a, b),
            Fault::OneWay(from, to) => self.sim.partition_oneway(from, to),
            Fault::Hold(a, b) => self.sim.hold(a, b),
            Fault::Slow(a, b, latency) => self.sim.set_link_max_message_latency(a, b, latency),
            Fault::Heal(a, b) => self.heal(&a, &b),
            Fault::Member(user, is_member) => _ = self.operator.send((user, is_member)),
        }
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let pages = (0..self.pages.len()).map(page_name);
        self.servers.iter().cloned().chain(pages).chain([OPERATOR.to_owned()])
    }

    fn stop(&mut self, name: &str) {
        if !self.sim.is_host_running(name) {
            return;
        }
        self.sim.crash(name);
        if let Some(number) = (0..self.pages.len()).find(|number| page_name(*number) == name) {
            *self.common.page(number) = None;
            self.common.kept(self.pages[number]).release(number);
        }
    }

    fn start(&mut self, name: &str) {
        if !self.sim.is_host_running(name) {
            self.sim.bounce(name);
        }
    }

    fn heal(&self, a: &str, b: &str) {
        self.sim.release(a, b);
        self.sim.set_link_max_message_latency(a, b, LATENCY);
    }

    fn mend(&mut self) {
        let names: Vec<_> = self.names().collect();
        for server in self.servers.clone() {
            for other in names.iter().filter(|other| **other != server) {
                self.heal(&server, other);
            }
        }
        for name in names.iter().filter(|name| *name != OPERATOR) {
            self.start(name);
        }
    }
}

/// Whoever changes the group, until it is done.
async fn operate(common: Rc<Common>, mut asked: UnboundedReceiver<(String, bool)>) -> turmoil::Result {
    while let Some((user, is_member)) = asked.recv().await {
        let (command, body) = if is_member {
            let members = serde_json::json!([{ "Member_Account": user }]);
            ("add_group_member", serde_json::json!({ "GroupId": GROUP, "MemberList": members }))
        } else {
            ("delete_group_member", serde_json::json!({ "GroupId": GROUP, "MemberToDel_Account": [user] }))
        };
        let signature = signature(DEFAULT_ADMIN);
        let path = format!(
            "/v4/group_open_http_svc/{command}?sdkappid={APP}&identifier={DEFAULT_ADMIN}&usersig={signature}"
        );
        loop {
            let server = common.server();
            let posting = post(&server, &path, body.to_string());
            if let Ok(Some(answer)) = timeout(Duration::from_secs(5), posting).await
                && answer.contains("\"ErrorCode\":0")
            {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
    Ok(())
}
