//! Write a Spanmux selector in Zig: one function that queries the runtime context.
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
//! Strings are UTF-8 and valid until the decision is made.

const std = @import("std");
const builtin = @import("builtin");

/// The decision of a selector.
pub const Decision = union(enum) {
    /// Leaves the decision to the next selector. If all selectors abstain, the trace goes to the
    /// default tracer.
    abstain,
    /// Sends the trace to the tracer with this name, or to the fallback tracer if it does not exist.
    choose: []const u8,
    /// Sends the trace to the fallback tracer and records the reason.
    fail: []const u8,
};

/// A string in the layout of the canonical ABI: a tracer name or a context key.
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

/// A value of the runtime context.
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

/// The runtime context: key/value data about the run to be traced.
pub const Context = struct {
    /// For native tests: the entries, found by their complete keys, and the result of `bucket`.
    entries: []const Entry = &.{},
    share: ?u32 = null,

    /// Returns the value of a key, or null if the key does not exist.
    pub fn get(self: Context, key: []const u8) ?Value {
        if (is_component) return host.value(key);
        for (self.entries) |entry| if (std.mem.eql(u8, entry[0], key)) return entry[1];
        return null;
    }

    /// Returns the value of a key if it is text, otherwise null. The other typed getters work the
    /// same way.
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

    /// Returns true if the key exists, even if its value is null.
    pub fn has(self: Context, key: []const u8) bool {
        return if (is_component) host.has(key.ptr, key.len) else self.get(key) != null;
    }

    /// Returns every key once, sorted. This is the most expensive question.
    pub fn keys(self: Context) []const Text {
        if (is_component) return host.allKeys();
        const all = arena.alloc(Text, self.entries.len) catch unreachable;
        for (self.entries, all) |entry, *key| key.* = .of(entry[0]);
        return all;
    }

    /// Returns the bucket of the value of a key, from 0 to `buckets` - 1, or null if the key does
    /// not exist.
    pub fn bucket(self: Context, key: []const u8, salt: []const u8, buckets: u32) ?u32 {
        return if (is_component) host.share(key, salt, buckets) else self.share;
    }
};

const is_component = builtin.cpu.arch.isWasm();

const root = @import("root");
/// Static memory for a decision, in bytes. Defaults to 32 KiB; the root file can override it with
/// `spanmux_arena_bytes`. Larger inputs grow the memory of the module.
const arena_bytes = if (@hasDecl(root, "spanmux_arena_bytes")) root.spanmux_arena_bytes else 32 * 1024;
var memory: [arena_bytes]u8 align(16) = undefined;
var blocks = std.heap.FixedBufferAllocator.init(&memory);

/// Allocates memory that is valid until the decision is made.
pub const arena: std.mem.Allocator = .{
    .ptr = undefined,
    .vtable = &.{ .alloc = allocate, .resize = resize, .remap = remap, .free = free },
};

fn allocate(_: *anyopaque, bytes: usize, alignment: std.mem.Alignment, from: usize) ?[*]u8 {
    if (blocks.allocator().rawAlloc(bytes, alignment, from)) |block| return block;
    return if (is_component) pages.allocate(bytes, alignment) else null;
}

fn resize(_: *anyopaque, block: []u8, alignment: std.mem.Alignment, bytes: usize, from: usize) bool {
    if (blocks.ownsPtr(block.ptr)) return blocks.allocator().rawResize(block, alignment, bytes, from);
    return is_component and pages.resize(block, bytes);
}

fn remap(self: *anyopaque, block: []u8, alignment: std.mem.Alignment, bytes: usize, from: usize) ?[*]u8 {
    return if (resize(self, block, alignment, bytes, from)) block.ptr else null;
}

fn free(_: *anyopaque, block: []u8, alignment: std.mem.Alignment, from: usize) void {
    if (blocks.ownsPtr(block.ptr)) blocks.allocator().rawFree(block, alignment, from);
}

/// Pages that are added to the memory when a decision needs more than the static memory. Ordinary
/// decisions add none, because growing the memory costs the host more than the rest of the decision.
const pages = struct {
    const page = 64 * 1024;
    var start: usize = 0;
    var next: usize = 0;
    var end: usize = 0;

    fn allocate(bytes: usize, alignment: std.mem.Alignment) ?[*]u8 {
        if (next == 0 or alignment.forward(next) > end or bytes > end - alignment.forward(next)) {
            const count = bytes / page + 1;
            const old = @wasmMemoryGrow(0, count);
            if (old < 0) return null;
            const first = @as(usize, @intCast(old)) * page;
            if (first != end) {
                start = first;
                next = first;
            }
            end = first + count * page;
        }
        const block = alignment.forward(next);
        next = block + bytes;
        return @ptrFromInt(block);
    }

    /// Resizes the last block in place.
    fn resize(block: []u8, bytes: usize) bool {
        const at = @intFromPtr(block.ptr);
        if (at + block.len != next or bytes > end - at) return false;
        next = at + bytes;
        return true;
    }
};

// The imported and exported functions of the component, with arguments in the layout of the
// canonical ABI.

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

/// result<option<string>, string>: ok(none), ok(some(name)) or err(reason).
const Result = extern struct {
    is_error: u8,
    of: extern union { ok: extern struct { is_some: u8, name: Text }, reason: Text },
};
var result: Result = undefined;

/// Exports a function as the selector of this component. Call it once, in a `comptime` block.
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
        // Called after the host has read the result. Frees the arena for the next decision.
        fn done(_: *const Result) callconv(.c) void {
            blocks.reset();
            pages.next = pages.start;
        }
        // The host writes strings to this memory.
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
