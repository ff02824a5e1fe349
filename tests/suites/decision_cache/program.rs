//! Random selectors: programs for the guest `random-program`, and an interpreter in native code
//! that computes the expected decision and the features that it used.

use std::fmt;

use fastrand::Rng;
use spanmux::{Budget, Choice, ContextView, Fallback, TracerNames, Value};
use spanmux_tests::{component, text};

use super::contexts::MEMBERS;
use super::features::{Feature, Met};

/// The address of the program in the guest's memory, and the size of a state.
const PROGRAM: usize = 4096;
const STATE: usize = 24;

/// The operation of a state. The numbers are those of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum What {
    Get = 1,
    Has,
    Keys,
    Bucket,
    /// Asks `keys`, and then `get` for each key.
    All,
    /// Reads the names of the tracers.
    Tracers,
    /// Runs a loop as often as the digest says, below a maximum.
    Burn,
    /// Grows the memory until the host refuses.
    Grow,
    Abstain = 16,
    Choose,
    /// Chooses the tracer that the digest selects.
    ChooseTracer,
    Fail,
    Unreachable,
    DivideByZero,
    Loop,
    Recurse,
}

/// A text, optionally followed by the last answer and the digest. It is used as a key, a name or a
/// message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) last: bool,
    pub(crate) digest: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) what: What,
    pub(crate) words: Words,
    pub(crate) salt: &'static str,
    pub(crate) number: u32,
    /// Possible next states, all of them later in the program. Empty at an end.
    pub(crate) targets: Vec<u8>,
}

/// States that only lead to later states, so that every program ends.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) states: Vec<State>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, state) in self.states.iter().enumerate() {
            writeln!(f, "{at:>4}: {state:?}")?;
        }
        Ok(())
    }
}

impl State {
    pub(crate) fn new(what: What) -> Self {
        Self {
            what,
            words: Words::default(),
            salt: "",
            number: 1,
            targets: Vec::new(),
        }
    }

    /// Returns a state that asks for this key.
    pub(crate) fn asks(what: What, key: &str) -> Self {
        let mut state = Self::new(what);
        state.words.text = key.to_owned();
        state
    }

    /// Returns a state that asks for a key that ends with the last answer.
    pub(crate) fn asks_of_last(what: What, key: &str) -> Self {
        let mut state = Self::asks(what, key);
        state.words.last = true;
        state
    }

    fn question(rng: &mut Rng, keys: &[&str]) -> Self {
        use What::{All, Bucket, Burn, Get, Grow, Has, Keys, Tracers};
        let weighted = [
            (Get, 12),
            (Has, 6),
            (Bucket, 6),
            (Keys, 2),
            (All, 1),
            (Tracers, 2),
            (Burn, 2),
            (Grow, 1),
        ];
        let mut state = Self::new(pick(rng, &weighted));
        let member = MEMBERS[rng.usize(..MEMBERS.len())];
        let key = keys[rng.usize(..keys.len())];
        let one_of = |rng: &mut Rng, texts: &[&'static str]| texts[rng.usize(..texts.len())];
        state.words = match rng.u8(..24) {
            0 => words(one_of(rng, &["", "user.", "span.", "a.b."]), true, false),
            1 => words("", true, false),
            2 => words("", false, true),
            3 => words("absent", false, false),
            4 => words("span.name", false, false),
            5 => words(
                one_of(rng, &["span.http.route", "span.kind", "span."]),
                false,
                false,
            ),
            6..10 => words(&format!("{key}.{member}"), false, false),
            _ => words(key, false, false),
        };
        state.salt = ["", "rollout-7", "größe"][rng.usize(..3)];
        state.number = match state.what {
            Burn => rng.u32(1..2000),
            _ if rng.u8(..60) == 0 => 0,
            _ => [1, 2, 3, 10, 100, u32::MAX][rng.usize(..6)],
        };
        state
    }

    fn end(rng: &mut Rng) -> Self {
        use What::{Abstain, Choose, ChooseTracer, DivideByZero, Fail, Loop, Recurse, Unreachable};
        let weighted = [
            (ChooseTracer, 10),
            (Choose, 10),
            (Fail, 10),
            (Abstain, 6),
            (Unreachable, 2),
            (DivideByZero, 2),
            (Loop, 2),
            (Recurse, 1),
        ];
        let mut state = Self::new(pick(rng, &weighted));
        let text = match rng.u8(..8) {
            0 => "",
            1 => "nobody",
            2 => &"größe ".repeat(50),
            3 => "Console",
            4 | 5 => "langfuse",
            _ => "console",
        };
        state.words = words(text, rng.u8(..3) == 0, rng.bool());
        state
    }
}

fn words(text: &str, last: bool, digest: bool) -> Words {
    let text = text.to_owned();
    Words { text, last, digest }
}

fn pick(rng: &mut Rng, weighted: &[(What, u32)]) -> What {
    let sum: u32 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut at = rng.u32(..sum);
    for (what, weight) in weighted {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return *what,
        }
    }
    unreachable!("the weights add up")
}

impl Program {
    /// Returns a program of some states that ask and continue, followed by some that end.
    pub(crate) fn random(rng: &mut Rng, keys: &[&str]) -> Self {
        let questions = rng.usize(2..=8);
        let count = questions + rng.usize(3..=6);
        let states = (0..count).map(|at| {
            if at >= questions {
                return State::end(rng);
            }
            let mut state = State::question(rng, keys);
            for _ in 0..rng.usize(1..=4) {
                // Prefer the next state over later ones, so that paths are long.
                let target = match rng.u8(..4) {
                    1.. if at + 2 < questions => rng.usize(at + 1..=at + 2),
                    _ => rng.usize(at + 1..count),
                };
                state.targets.push(target as u8);
            }
            state
        });
        Self {
            states: states.collect(),
        }
    }

    /// Links the states one after the other.
    pub(crate) fn in_a_row<const N: usize>(mut states: [State; N]) -> Self {
        for (state, next) in states.iter_mut().zip(1..N as u8) {
            state.targets = vec![next];
        }
        Self {
            states: states.into(),
        }
    }

    /// Returns the component that runs the program.
    pub(crate) fn component(&self) -> Vec<u8> {
        let data: String = self
            .bytes()
            .iter()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        component(&text("guests", "random-program").replace("the program", &data))
    }

    /// Encodes the program as the guest reads it: the states, followed by their texts.
    fn bytes(&self) -> Vec<u8> {
        let mut texts = Vec::new();
        let mut bytes = Vec::new();
        let short = |number: usize| {
            u16::try_from(number)
                .expect("a small program")
                .to_le_bytes()
        };
        let mut place = |text: &str| {
            let at = PROGRAM + self.states.len() * STATE + texts.len();
            texts.extend_from_slice(text.as_bytes());
            [short(at), short(text.len())].concat()
        };
        for state in &self.states {
            let words = &state.words;
            let flags = u8::from(words.last) | u8::from(words.digest) << 1;
            bytes.extend([state.what as u8, flags, state.targets.len() as u8, 0]);
            bytes.extend(place(&words.text));
            bytes.extend(place(state.salt));
            bytes.extend(state.number.to_le_bytes());
            let mut targets = [0; 8];
            targets[..state.targets.len()].copy_from_slice(&state.targets);
            bytes.extend(targets);
        }
        bytes.extend(texts);
        bytes
    }

    /// Returns the expected decision and the features that it uses. The guest may run out of fuel
    /// or memory earlier, which native code cannot predict.
    pub(crate) fn run(&self, context: &ContextView<'_>, tracers: &TracerNames) -> (Choice, Met) {
        let mut run = Run {
            context,
            tracers,
            digest: 0,
            last: String::new(),
            asked: Vec::new(),
            met: Met::default(),
        };
        let mut at = 0;
        loop {
            let state = &self.states[at];
            if let Some(choice) = run.step(state) {
                return (choice, run.met);
            }
            at = state.targets[(run.digest % state.targets.len() as u64) as usize].into();
        }
    }
}

/// One run in native code.
struct Run<'a> {
    context: &'a ContextView<'a>,
    tracers: &'a TracerNames,
    digest: u64,
    last: String,
    asked: Vec<String>,
    met: Met,
}

impl Run<'_> {
    /// Executes a state. Returns the decision if the state is an end.
    fn step(&mut self, state: &State) -> Option<Choice> {
        use Feature as F;
        let words = &state.words;
        let asks = matches!(state.what, What::Get | What::Has | What::Bucket);
        let text = self.words(words);
        if text.len() > Self::BYTES && (asks || matches!(state.what, What::Choose | What::Fail)) {
            self.met.note(F::OutOfBytes);
            return Some(Choice::Fallback(Fallback::OutOfBudget(Budget::Bytes)));
        }
        if asks {
            self.note_key(&text, words.last);
        }
        match state.what {
            What::Get => self.get(&text),
            What::Has => {
                let has = self.context.contains(&text);
                self.met.note(if has { F::HasTrue } else { F::HasFalse });
                self.fold(has.into());
            }
            What::Bucket if state.number == 0 => {
                self.met.note(F::NoBuckets);
                return Some(trapped("it requested a share of zero buckets"));
            }
            What::Bucket => self.bucket(&text, state),
            What::Keys => drop(self.keys()),
            What::All => {
                for key in self.keys() {
                    self.get(&key);
                }
            }
            What::Tracers => {
                self.met.note(F::TracersRead);
                self.fold_list(self.tracers.as_slice());
            }
            What::Burn => self.met.note(F::Burnt),
            What::Grow => {
                // The memory cannot grow a second time.
                let times = if self.met.has(F::Grown) {
                    0
                } else {
                    Self::GROWN
                };
                self.met.note(F::Grown);
                self.fold(times);
            }
            What::Abstain => {
                self.met.note(F::Abstained);
                return Some(Choice::Abstain);
            }
            What::Choose => return Some(self.choose(&text)),
            What::ChooseTracer => {
                let names = self.tracers.as_slice();
                let Some(at) = self.digest.checked_rem(names.len() as u64) else {
                    self.met.note(F::NoTracers);
                    return Some(trapped("integer divide by zero"));
                };
                return Some(self.choose(&names[at as usize]));
            }
            What::Fail => {
                self.met.note(F::Failed);
                // The host truncates messages to this length.
                let kept = &text[..text.floor_char_boundary(Self::MESSAGE)];
                return Some(Choice::failed(kept));
            }
            What::Unreachable => {
                self.met.note(F::Trapped);
                return Some(trapped("wasm `unreachable` instruction executed"));
            }
            What::DivideByZero => {
                self.met.note(F::DividedByZero);
                return Some(trapped("integer divide by zero"));
            }
            What::Loop => {
                self.met.note(F::OutOfFuel);
                return Some(Choice::Fallback(Fallback::OutOfBudget(Budget::Fuel)));
            }
            What::Recurse => {
                self.met.note(F::OutOfStack);
                return Some(Choice::Fallback(Fallback::OutOfBudget(Budget::Stack)));
            }
        }
        None
    }
}

impl Run<'_> {
    /// The maximum number of bytes that a guest may pass to the host in one call.
    const BYTES: usize = spanmux::Limits::ANSWER_BYTES;
    const MESSAGE: usize = spanmux::Limits::MESSAGE_BYTES;
    /// The growth of a guest of that size up to its limit, in units of half a mebibyte.
    const GROWN: u64 = (super::case::MEMORY >> 19) as u64 - 1;

    fn fold(&mut self, bits: u64) {
        self.digest = (self.digest ^ bits)
            .rotate_left(23)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.digest ^= self.digest >> 32;
    }

    fn fold_text(&mut self, text: &str) {
        text.clone_into(&mut self.last);
        self.fold(text.len() as u64);
        let (eights, rest) = text.as_bytes().as_chunks::<8>();
        for eight in eights {
            self.fold(u64::from_le_bytes(*eight));
        }
        for byte in rest {
            self.fold((*byte).into());
        }
    }

    fn fold_list(&mut self, list: &[String]) {
        self.fold(list.len() as u64);
        for text in list {
            self.fold_text(text);
        }
    }

    fn words(&self, words: &Words) -> String {
        let mut text = words.text.clone();
        if words.last {
            text += &self.last;
        }
        if words.digest {
            text += &format!("{:016x}", self.digest);
        }
        assert!(text.len() <= 128 << 10, "the guest has no place for more");
        text
    }

    fn get(&mut self, key: &str) {
        let value = self.context.get(key);
        self.note_value(value);
        self.fold(value.is_some().into());
        let Some(value) = value else { return };
        let (case, bits, text) = match value {
            Value::Null => (0, None, None),
            Value::Boolean(boolean) => (1, Some(boolean.into()), None),
            Value::Integer(integer) => (2, Some(integer as u64), None),
            Value::Float(float) => (3, Some(float.to_bits()), None),
            Value::Text(text) => (4, None, Some(text)),
            Value::Json(text) => (5, None, Some(text)),
        };
        self.fold(case);
        if let Some(bits) = bits {
            self.fold(bits);
        }
        if let Some(text) = text {
            self.fold_text(text);
        }
    }

    fn bucket(&mut self, key: &str, state: &State) {
        let share = self.context.bucket(key, state.salt, state.number);
        self.met.note(match share {
            None => Feature::BucketNone,
            Some(_) if state.number == 1 => Feature::BucketOfOne,
            Some(_) => Feature::BucketSome,
        });
        self.fold(share.is_some().into());
        if let Some(share) = share {
            self.fold(share.into());
        }
    }

    fn keys(&mut self) -> Vec<String> {
        let keys = self.context.keys();
        self.met.note(if keys.is_empty() {
            Feature::KeysOfNone
        } else {
            Feature::Keys
        });
        self.fold_list(&keys);
        keys
    }

    fn choose(&mut self, name: &str) -> Choice {
        let choice = self.tracers.choose(name);
        self.met.note(match choice {
            Choice::Tracer(_) => Feature::Chosen,
            _ if name.is_empty() => Feature::EmptyName,
            _ if name.len() > spanmux::MAX_NAME_BYTES => Feature::LongName,
            _ => Feature::UnknownTracer,
        });
        choice
    }

    fn note_key(&mut self, key: &str, from_answer: bool) {
        let literal = |keys: &[String]| keys.iter().any(|known| known == key);
        let found = self.context.contains(key);
        let keys = self.context.keys();
        if from_answer && found {
            self.met.note(Feature::KeyFromAnswer);
        }
        if self.asked.iter().any(|asked| asked == key) {
            self.met.note(Feature::SameTwice);
        }
        self.asked.push(key.to_owned());
        if key.is_empty() && found {
            self.met.note(Feature::EmptyKey);
        }
        if found && key.contains('.') {
            self.met
                .note(match (literal(&keys), key.starts_with("span.")) {
                    (false, _) => Feature::DottedPath,
                    (true, false) => Feature::DottedLiteral,
                    (true, true) => Feature::SpanKey,
                });
        }
    }

    fn note_value(&mut self, value: Option<Value<'_>>) {
        use Feature as F;
        let mut note = |feature| self.met.note(feature);
        let one = |float: f64, other: f64| float.to_bits() == other.to_bits();
        match value {
            None => note(F::GetAbsent),
            Some(Value::Null) => note(F::GetNull),
            Some(Value::Boolean(_)) => note(F::GetBoolean),
            Some(Value::Integer(integer)) => {
                note(F::GetInteger);
                match integer.abs() {
                    1 => note(F::IntegerOne),
                    9_007_199_254_740_991 => note(F::LastSafeInteger),
                    _ => {}
                }
            }
            Some(Value::Float(float)) => {
                note(F::GetFloat);
                match float {
                    _ if float.is_nan() => note(F::Nan),
                    _ if float.is_infinite() => note(F::Infinity),
                    _ if one(float, -0.0) => note(F::NegativeZero),
                    _ if one(float, 0.0) => note(F::PositiveZero),
                    _ if one(float, 1.0) => note(F::FloatOne),
                    _ => {}
                }
            }
            Some(Value::Text(text)) => {
                note(F::GetText);
                match text {
                    "" => note(F::EmptyText),
                    "1" => note(F::TextOne),
                    _ if !text.is_ascii() => note(F::Unicode),
                    _ if text.len() >= 4096 => note(F::HugeText),
                    _ if text.len() >= 256 => note(F::LongText),
                    _ => {}
                }
            }
            Some(Value::Json(json)) => {
                note(F::GetJson);
                match json {
                    _ if json.len() >= 4096 => note(F::HugeJson),
                    _ if json.len() >= 256 => note(F::LargeJson),
                    _ if json.parse::<i128>().is_ok() => note(F::LargeInteger),
                    _ => {}
                }
            }
        }
    }
}

fn trapped(message: &str) -> Choice {
    Choice::Fallback(Fallback::Trapped(message.to_owned()))
}
