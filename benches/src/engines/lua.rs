//! Lua (LuaJIT): a compiled function, and one reused userdata that looks up keys on demand.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use mlua::{
    AnyUserData, BorrowedStr, Function, Lua, LuaString, MetaMethod, UserData, UserDataMethods,
};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, tracer};

const ONE_KEY: &str = r#"
    return function(context)
        local environment = context.environment
        if environment == "production" then return "langfuse" end
        if environment == "staging" then return "datadog" end
        return "console"
    end"#;
const FOUR_KEYS: &str = r#"
    local tenants = { acme = true, globex = true, initech = true, umbrella = true, hooli = true }
    return function(context)
        if not tenants[context.tenant] then return "console" end
        if context.tier == "enterprise" then return "langfuse" end
        if context.region:sub(1, 3) == "eu-" then return "datadog" end
        if context.environment == "production" then return "langfuse" end
        return "console"
    end"#;

#[derive(Default)]
struct Keys(Arc<HashMap<String, String>>);

impl UserData for Keys {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Index, |lua, keys, key: BorrowedStr| {
            let text = keys.0.get(&*key);
            text.map(|text| lua.create_string(text)).transpose()
        });
    }
}

struct LuaJit {
    function: Function,
    keys: AnyUserData,
    /// Dropped last.
    _lua: Lua,
}

impl LuaJit {
    fn new(question: Question) -> Result<Self> {
        let lua = Lua::new();
        let source = match question {
            Question::OneKey => ONE_KEY,
            Question::FourKeys => FOUR_KEYS,
        };
        let make = || -> mlua::Result<_> {
            let function = lua.load(source).eval()?;
            Ok((function, lua.create_userdata(Keys::default())?))
        };
        let (function, keys) = make().map_err(|error| anyhow!("{error}"))?;
        Ok(Self {
            function,
            keys,
            _lua: lua,
        })
    }

    fn ask(&self, case: &Case) -> mlua::Result<usize> {
        self.keys.borrow_mut::<Keys>()?.0 = case.entries.clone();
        let name: LuaString = self.function.call(&self.keys)?;
        Ok(tracer(&name.to_str()?))
    }
}

impl Engine for LuaJit {
    fn decide(&mut self, case: &Case) -> usize {
        self.ask(case).unwrap_or(usize::MAX)
    }
}

pub fn row(question: Question) -> Row {
    Row::new("Lua", "LuaJIT, userdata kept", move || {
        LuaJit::new(question)
    })
}
