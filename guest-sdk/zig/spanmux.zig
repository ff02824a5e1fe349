//! Write a Spanmux selector in Zig: one function, and questions to the context.
//!
//!     const spanmux = @import("spanmux.zig");
//!     comptime { spanmux.exportSelector(select); }
//!
//!     pub fn select(context: spanmux.Context, tracers: []const spanmux.Text) spanmux.Decision {
//!         const environment = context.text("environment") orelse return .abstain;
//!         if (std.mem.eql(u8, environment, "production")) return .{ .choose = "langfuse" };
//!         return .abstain;
//!     }
//!
//! Text is UTF-8 and lives until the decision is made.

const std = @import("std");
const builtin = @import("builtin");

/// What a selector answers.
pub const Decision = union(enum) {
    /// The next selector decides; after the last one, the default tracer.
    abstain,
    /// The trace goes to the tracer of this name; to the fallback if there is none.
    choose: []const u8,
    /// The trace goes to the fallback, and the reason is recorded.
    fail: []const u8,
};

/// Text as it lies in memory: the names of tracers and the keys of a context.
pub const Text = extern struct {
    pointer: [*]const u8,
    length: usize,

    pub fn of(bytes: []const u8) Text {
        return .{ .pointer = bytes.ptr, .length = bytes.len };
    }

    pub fn slice(self: Text) []const u8 {
        return self.pointer[0..self.length];
    }
};

/// A value of the context, in the case that it fits.
pub const Value = union(enum) {
    null,
    boolean: bool,
    /// From -(2^53 - 1) to 2^53 - 1.
    integer: i64,
    float: f64,
    text: []const u8,
    /// An array, an object, or a larger integer, as canonical JSON text.
    json: []const u8,
};

/// A key and its value, for native tests.
pub const Entry = struct { []const u8, Value };

/// What the application knows about the run that is about to be traced.
pub const Context = struct {
    /// For native tests: its entries, by their whole keys, and what `bucket` answers.
    entries: []const Entry = &.{},
    share: ?u32 = null,

    /// The value of a key; null if there is no such key.
    pub fn get(self: Context, key: []const u8) ?Value {
        if (is_component) return host.value(key);
        for (self.entries) |entry| if (std.mem.eql(u8, entry[0], key)) return entry[1];
        return null;
    }

    /// The value of a key if it is text, else null; so do the next ones for theirs.
    pub fn text(self: Context, key: []const u8) ?[]const u8 {
        return self.typed(.text, key);
    }

    pub fn boolean(self: Context, key: []const u8) ?bool {
        return self.typed(.boolean, key);
    }

    pub fn integer(self: Context, key: []const u8) ?i64 {
        return self.typed(.integer, key);
    }

    pub fn json(self: Context, key: []const u8) ?[]const u8 {
        return self.typed(.json, key);
    }

    pub fn float(self: Context, key: []const u8) ?f64 {
        if (self.integer(key)) |whole| return @floatFromInt(whole);
        return self.typed(.float, key);
    }

    fn typed(
        self: Context,
        comptime kind: std.meta.Tag(Value),
        key: []const u8,
    ) ?@FieldType(Value, @tagName(kind)) {
        const value = self.get(key) orelse return null;
        return if (value == kind) @field(value, @tagName(kind)) else null;
    }

    /// Whether there is such a key, with a null value too.
    pub fn has(self: Context, key: []const u8) bool {
        return if (is_component) host.has(key.ptr, key.len) else self.get(key) != null;
    }

    /// Each key once, sorted. The costliest question.
    pub fn keys(self: Context) []const Text {
        if (is_component) return host.allKeys();
        const all = arena.alloc(Text, self.entries.len) catch unreachable;
        for (self.entries, all) |entry, *key| key.* = .of(entry[0]);
        return all;
    }

    /// In which of `buckets` equal shares the value of a key falls, counted from 0.
    pub fn bucket(self: Context, key: []const u8, salt: []const u8, buckets: u32) ?u32 {
        return if (is_component) host.share(key, salt, buckets) else self.share;
    }
};

const is_component = builtin.cpu.arch.isWasm();

const root = @import("root");
/// How much memory a decision has, in bytes: 32 KiB, or what the root file says.
const arena_bytes = if (@hasDecl(root, "spanmux_arena_bytes")) root.spanmux_arena_bytes else 32 * 1024;
var memory: [arena_bytes]u8 align(16) = undefined;
var blocks = std.heap.FixedBufferAllocator.init(&memory);

/// Memory that lives until the decision is made.
pub const arena = blocks.allocator();

// The border to the contract: the functions that the host gives and takes, in the layout
// that the component model gives their arguments.

const host = struct {
    const OptionalValue = extern struct {
        is_some: u8,
        tag: u8 align(8),
        of: extern union { boolean: u8, integer: i64, float: f64, text: Text },
    };
    const Texts = extern struct { texts: [*]const Text, length: usize };
    const OptionalShare = extern struct { is_some: u8, share: u32 };

    extern "spanmux:selector/runtime-context@0.1.0" fn get(
        key: [*]const u8,
        length: usize,
        answer: *OptionalValue,
    ) void;
    extern "spanmux:selector/runtime-context@0.1.0" fn has(key: [*]const u8, length: usize) bool;
    extern "spanmux:selector/runtime-context@0.1.0" fn keys(answer: *Texts) void;
    extern "spanmux:selector/runtime-context@0.1.0" fn bucket(
        key: [*]const u8,
        length: usize,
        salt: [*]const u8,
        salt_length: usize,
        buckets: u32,
        answer: *OptionalShare,
    ) void;

    fn value(key: []const u8) ?Value {
        var answer: OptionalValue = undefined;
        get(key.ptr, key.len, &answer);
        if (answer.is_some == 0) return null;
        return switch (answer.tag) {
            0 => .null,
            1 => .{ .boolean = answer.of.boolean != 0 },
            2 => .{ .integer = answer.of.integer },
            3 => .{ .float = answer.of.float },
            4 => .{ .text = answer.of.text.slice() },
            else => .{ .json = answer.of.text.slice() },
        };
    }

    fn allKeys() []const Text {
        var answer: Texts = undefined;
        keys(&answer);
        return answer.texts[0..answer.length];
    }

    fn share(key: []const u8, salt: []const u8, buckets: u32) ?u32 {
        var answer: OptionalShare = undefined;
        bucket(key.ptr, key.len, salt.ptr, salt.len, buckets, &answer);
        return if (answer.is_some == 0) null else answer.share;
    }
};

/// ok(none), ok(some(text)) or err(text).
const Result = extern struct {
    is_error: u8,
    of: extern union { ok: extern struct { is_some: u8, name: Text }, reason: Text },
};
var result: Result = undefined;

/// Makes a function the selector of this component; once, in a `comptime` block.
pub fn exportSelector(comptime select: fn (Context, []const Text) Decision) void {
    if (!is_component) return;
    const guest = struct {
        fn decide(names: [*]const Text, count: usize) callconv(.c) *const Result {
            result = switch (select(.{}, names[0..count])) {
                .abstain => .{ .is_error = 0, .of = .{ .ok = .{ .is_some = 0, .name = .of("") } } },
                .choose => |name| .{ .is_error = 0, .of = .{ .ok = .{ .is_some = 1, .name = .of(name) } } },
                .fail => |reason| .{ .is_error = 1, .of = .{ .reason = .of(reason) } },
            };
            return &result;
        }
        // The host has read the answer: the arena is free for the next decision.
        fn done(_: *const Result) callconv(.c) void {
            blocks.reset();
        }
        // The host writes text here.
        fn reallocate(old: ?[*]u8, old_bytes: usize, alignment: usize, bytes: usize) callconv(.c) [*]u8 {
            const block = arena.rawAlloc(bytes, .fromByteUnits(alignment), 0) orelse @trap();
            if (old) |from| @memcpy(block[0..@min(old_bytes, bytes)], from[0..@min(old_bytes, bytes)]);
            return block;
        }
    };
    @export(&guest.decide, .{ .name = "spanmux:selector/selection@0.1.0#select" });
    @export(&guest.done, .{ .name = "cabi_post_spanmux:selector/selection@0.1.0#select" });
    @export(&guest.reallocate, .{ .name = "cabi_realloc" });
}
