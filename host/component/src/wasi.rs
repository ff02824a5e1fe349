//! The world of a WASI guest: empty, and the same on every call.
//!
//! Some languages cannot start without a clock, random numbers or standard output. Here, the clock
//! is virtual (each look advances it a little, and a sleep only advances it), and random numbers
//! have a fixed seed. There are no arguments, environment variables, files or input, and output is
//! kept for the log. No guest can therefore block, and nothing that it reads differs between
//! machines or days.
//!
//! Functions of these interfaces that are not defined here (all that need a file, above all) trap
//! when called.

use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    ComponentNamedList, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
};

use super::contract::unversioned;
use super::fuel;
use super::guest_fault::GuestFault;
use super::sandbox::Sandbox;
use super::world::{NANOSECONDS_PER_LOOK, Pollable, World};

/// The version of the definitions. Imports of every 0.2.x version resolve to it.
const WASI: &str = "0.2.0";

/// The kinds of handles. None of them refers to anything outside of the guest.
enum InputStream {}
enum OutputStream {}
enum IoError {}
enum TerminalInput {}
enum TerminalOutput {}
enum Descriptor {}
enum Unknown {}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(
        dead_code,
        reason = "the contract has the case, and nothing here fails"
    )]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

impl Datetime {
    fn of(nanoseconds: u64) -> Self {
        Self {
            seconds: nanoseconds / 1_000_000_000,
            nanoseconds: (nanoseconds % 1_000_000_000) as u32,
        }
    }
}

/// Defines a function of an interface that only accesses the world. A call costs fuel as a question
/// does.
fn define<Params, Return>(
    interface: &mut LinkerInstance<'_, Sandbox>,
    name: &str,
    function: impl Fn(&mut World, Params) -> wasmtime::Result<Return> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    Params: ComponentNamedList + Lift + 'static,
    Return: ComponentNamedList + Lower + 'static,
{
    interface.func_wrap(
        name,
        move |mut store: StoreContextMut<'_, Sandbox>, params| {
            let world = &mut store.data_mut().world;
            let answer = function(world, params)?;
            let bytes = world.take_handed_over();
            fuel::burn(&mut store, bytes, 0)?;
            Ok(answer)
        },
    )
}

/// Links the interfaces of the empty world.
pub(super) fn link(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    cli(linker)?;
    clocks(linker)?;
    io(linker)?;
    random(linker)?;
    let mut preopens = interface(linker, "wasi:filesystem/preopens")?;
    resource(&mut preopens, "descriptor")?;
    define(&mut preopens, "get-directories", |_, (): ()| {
        Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
    })
}

/// Defines the remaining imports of a component: functions that trap, and resources that cannot be
/// created.
pub(super) fn link_rest<'a>(
    linker: &mut Linker<Sandbox>,
    import: &str,
    items: impl Iterator<Item = (&'a str, ComponentItem)>,
) -> wasmtime::Result<()> {
    // Uses the version of the definitions above, so that they are found first.
    let import = unversioned(import);
    let mut interface = interface(linker, import)?;
    for (name, item) in items {
        // An error means that the name is defined already: the linker does not allow a later
        // definition to hide an earlier one.
        let _taken = match item {
            ComponentItem::ComponentFunc(_) => {
                let message = format!("it called `{import}#{name}`, which selectors are not given");
                interface.func_new(name, move |_, _, _, _| {
                    Err(GuestFault::World(message.clone()).into())
                })
            }
            ComponentItem::Resource(_) => resource(&mut interface, name),
            _ => Ok(()),
        };
    }
    Ok(())
}

fn interface<'l>(
    linker: &'l mut Linker<Sandbox>,
    name: &str,
) -> wasmtime::Result<LinkerInstance<'l, Sandbox>> {
    linker.instance(&format!("{name}@{WASI}"))
}

/// Defines a resource by its name. If an interface uses a resource of another one, both must have
/// the same type.
fn resource(interface: &mut LinkerInstance<'_, Sandbox>, name: &str) -> wasmtime::Result<()> {
    let resource = match name {
        "pollable" => ResourceType::host::<Pollable>(),
        "input-stream" => ResourceType::host::<InputStream>(),
        "output-stream" => ResourceType::host::<OutputStream>(),
        "error" => ResourceType::host::<IoError>(),
        "terminal-input" => ResourceType::host::<TerminalInput>(),
        "terminal-output" => ResourceType::host::<TerminalOutput>(),
        "descriptor" => ResourceType::host::<Descriptor>(),
        _ => ResourceType::host::<Unknown>(),
    };
    // Only a pollable has state to release.
    let pollable = name == "pollable";
    interface.resource(name, resource, move |mut store, number| {
        if pollable {
            store.data_mut().world.forget(number);
        }
        Ok(())
    })
}

fn cli(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    let mut environment = interface(linker, "wasi:cli/environment")?;
    define(&mut environment, "get-environment", |_, (): ()| {
        Ok((Vec::<(String, String)>::new(),))
    })?;
    define(&mut environment, "get-arguments", |_, (): ()| {
        Ok((Vec::<String>::new(),))
    })?;
    define(&mut environment, "initial-cwd", |_, (): ()| {
        Ok((None::<String>,))
    })?;

    let mut exit = interface(linker, "wasi:cli/exit")?;
    define(
        &mut exit,
        "exit",
        |_, (status,): (Result<(), ()>,)| -> wasmtime::Result<()> {
            let how = if status.is_ok() { "success" } else { "failure" };
            Err(GuestFault::World(format!("it exited with {how}")).into())
        },
    )?;

    for (name, rep) in [("stdout", STDOUT), ("stderr", STDERR)] {
        let mut stream = interface(linker, &format!("wasi:cli/{name}"))?;
        resource(&mut stream, "output-stream")?;
        define(&mut stream, &format!("get-{name}"), move |_, (): ()| {
            Ok((Resource::<OutputStream>::new_own(rep),))
        })?;
    }
    let mut stdin = interface(linker, "wasi:cli/stdin")?;
    resource(&mut stdin, "input-stream")?;
    define(&mut stdin, "get-stdin", |_, (): ()| {
        Ok((Resource::<InputStream>::new_own(STDIN),))
    })?;

    let mut terminal = interface(linker, "wasi:cli/terminal-input")?;
    resource(&mut terminal, "terminal-input")?;
    let mut terminal = interface(linker, "wasi:cli/terminal-output")?;
    resource(&mut terminal, "terminal-output")?;
    let mut terminal = interface(linker, "wasi:cli/terminal-stdin")?;
    resource(&mut terminal, "terminal-input")?;
    define(&mut terminal, "get-terminal-stdin", |_, (): ()| {
        Ok((None::<Resource<TerminalInput>>,))
    })?;
    for name in ["stdout", "stderr"] {
        let mut terminal = interface(linker, &format!("wasi:cli/terminal-{name}"))?;
        resource(&mut terminal, "terminal-output")?;
        define(
            &mut terminal,
            &format!("get-terminal-{name}"),
            |_, (): ()| Ok((None::<Resource<TerminalOutput>>,)),
        )?;
    }
    Ok(())
}

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

fn clocks(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    let mut wall = interface(linker, "wasi:clocks/wall-clock")?;
    define(&mut wall, "now", |world, (): ()| {
        Ok((Datetime::of(world.look()),))
    })?;
    define(&mut wall, "resolution", |_, (): ()| {
        Ok((Datetime::of(NANOSECONDS_PER_LOOK),))
    })?;

    let mut monotonic = interface(linker, "wasi:clocks/monotonic-clock")?;
    resource(&mut monotonic, "pollable")?;
    define(&mut monotonic, "now", |world, (): ()| Ok((world.look(),)))?;
    define(&mut monotonic, "resolution", |_, (): ()| {
        Ok((NANOSECONDS_PER_LOOK,))
    })?;
    define(
        &mut monotonic,
        "subscribe-instant",
        |world, (when,): (u64,)| Ok((world.pollable(when)?,)),
    )?;
    define(
        &mut monotonic,
        "subscribe-duration",
        |world, (wait,): (u64,)| {
            let when = world.now().saturating_add(wait);
            Ok((world.pollable(when)?,))
        },
    )
}

fn io(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    let mut error = interface(linker, "wasi:io/error")?;
    resource(&mut error, "error")?;
    define(
        &mut error,
        "[method]error.to-debug-string",
        |_, (_,): (Resource<IoError>,)| Ok((String::new(),)),
    )?;

    let mut poll = interface(linker, "wasi:io/poll")?;
    resource(&mut poll, "pollable")?;
    define(
        &mut poll,
        "[method]pollable.ready",
        |world, (pollable,): (Resource<Pollable>,)| Ok((world.ready_at(&pollable) <= world.now(),)),
    )?;
    define(
        &mut poll,
        "[method]pollable.block",
        |world, (pollable,): (Resource<Pollable>,)| {
            world.wait_until(world.ready_at(&pollable));
            Ok(())
        },
    )?;
    define(
        &mut poll,
        "poll",
        |world, (pollables,): (Vec<Resource<Pollable>>,)| {
            let times: Vec<u64> = pollables.iter().map(|each| world.ready_at(each)).collect();
            let Some(&first) = times.iter().min() else {
                return Err(GuestFault::World("it waits for nothing".to_owned()).into());
            };
            world.wait_until(first);
            let now = world.now();
            let ready = (0_u32..).zip(&times).filter(|(_, time)| **time <= now);
            Ok((ready.map(|(index, _)| index).collect::<Vec<u32>>(),))
        },
    )?;

    let mut streams = interface(linker, "wasi:io/streams")?;
    resource(&mut streams, "error")?;
    resource(&mut streams, "pollable")?;
    resource(&mut streams, "input-stream")?;
    resource(&mut streams, "output-stream")?;
    for read in ["read", "blocking-read"] {
        define(
            &mut streams,
            &format!("[method]input-stream.{read}"),
            |_, (_, _): (Resource<InputStream>, u64)| Ok((Err::<Vec<u8>, _>(StreamError::Closed),)),
        )?;
    }
    for skip in ["skip", "blocking-skip"] {
        define(
            &mut streams,
            &format!("[method]input-stream.{skip}"),
            |_, (_, _): (Resource<InputStream>, u64)| Ok((Err::<u64, _>(StreamError::Closed),)),
        )?;
    }
    define(
        &mut streams,
        "[method]input-stream.subscribe",
        |world, (_,): (Resource<InputStream>,)| Ok((world.pollable(0)?,)),
    )?;
    define(
        &mut streams,
        "[method]output-stream.subscribe",
        |world, (_,): (Resource<OutputStream>,)| Ok((world.pollable(0)?,)),
    )?;
    define(
        &mut streams,
        "[method]output-stream.check-write",
        |_, (_,): (Resource<OutputStream>,)| Ok((Ok::<u64, StreamError>(4096),)),
    )?;
    for write in ["write", "blocking-write-and-flush"] {
        define(
            &mut streams,
            &format!("[method]output-stream.{write}"),
            |world, (_, bytes): (Resource<OutputStream>, Vec<u8>)| {
                world.print(&bytes);
                Ok((Ok::<(), StreamError>(()),))
            },
        )?;
    }
    for write in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        define(
            &mut streams,
            &format!("[method]output-stream.{write}"),
            |_, (_, _): (Resource<OutputStream>, u64)| Ok((Ok::<(), StreamError>(()),)),
        )?;
    }
    for flush in ["flush", "blocking-flush"] {
        define(
            &mut streams,
            &format!("[method]output-stream.{flush}"),
            |_, (_,): (Resource<OutputStream>,)| Ok((Ok::<(), StreamError>(()),)),
        )?;
    }
    Ok(())
}

fn random(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    for (name, prefix) in [("random", ""), ("insecure", "insecure-")] {
        let mut random = interface(linker, &format!("wasi:random/{name}"))?;
        define(
            &mut random,
            &format!("get-{prefix}random-bytes"),
            |world, (length,): (u64,)| Ok((world.random_bytes(length)?,)),
        )?;
        define(
            &mut random,
            &format!("get-{prefix}random-u64"),
            |world, (): ()| Ok((world.random(),)),
        )?;
    }
    let mut seed = interface(linker, "wasi:random/insecure-seed")?;
    define(&mut seed, "insecure-seed", |world, (): ()| {
        Ok(((world.random(), world.random()),))
    })
}
