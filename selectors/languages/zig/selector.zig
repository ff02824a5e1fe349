//! The reference selector in Zig. The key `op` selects its operation. See ../README.md.

const std = @import("std");
const spanmux = @import("spanmux.zig");
const Context = spanmux.Context;
const Decision = spanmux.Decision;
const Text = spanmux.Text;
const Value = spanmux.Value;

comptime {
    spanmux.exportSelector(select);
}

const Op = enum { choose, fail, last, tracers, get, has, keys, bucket, same, world, mistake, trap, dangling };

pub fn select(context: Context, tracers: []const Text) Decision {
    const name = context.text("op") orelse return byEnvironment(context);
    const op = std.meta.stringToEnum(Op, name) orelse return .abstain;
    const key = context.text("key") orelse "";
    return switch (op) {
        .choose => .{ .choose = context.text("name").? },
        .fail => .{ .fail = context.text("message").? },
        .last => if (tracers.len == 0) .abstain else .{ .choose = tracers[tracers.len - 1].slice() },
        .tracers => lines(tracers),
        .get => rendered(context.get(key)),
        .has => yes(context.has(key)),
        .keys => lines(context.keys()),
        .bucket => bucket(context, key),
        .same => yes(std.mem.eql(u8, context.text("left").?, context.text("right").?)),
        .world => .{ .fail = "none" },
        .mistake => @panic("a mistake"),
        .trap => @trap(),
        .dangling => .{ .choose = @as([*]const u8, @ptrFromInt(0x7ffffff0))[0..8] },
    };
}

fn byEnvironment(context: Context) Decision {
    const environment = context.text("environment") orelse return .abstain;
    if (std.mem.eql(u8, environment, "production")) return .{ .choose = "langfuse" };
    if (std.mem.eql(u8, environment, "development")) return .{ .choose = "console" };
    return .abstain;
}

fn yes(condition: bool) Decision {
    return .{ .fail = if (condition) "yes" else "no" };
}

fn failed(comptime format: []const u8, arguments: anytype) Decision {
    return .{ .fail = std.fmt.allocPrint(spanmux.arena, format, arguments) catch @trap() };
}

fn lines(texts: []const Text) Decision {
    var all: std.ArrayList(u8) = .empty;
    for (texts, 0..) |text, i| {
        if (i > 0) all.append(spanmux.arena, '\n') catch @trap();
        all.appendSlice(spanmux.arena, text.slice()) catch @trap();
    }
    return .{ .fail = all.items };
}

fn rendered(value: ?Value) Decision {
    return switch (value orelse return .{ .fail = "absent" }) {
        .null => .{ .fail = "null" },
        .boolean => |boolean| failed("boolean {}", .{boolean}),
        .integer => |integer| failed("integer {d}", .{integer}),
        .float => |float| failed("float {x:0>16}", .{@as(u64, @bitCast(float))}),
        .text => |text| failed("text {s}", .{text}),
        .json => |json| failed("json {s}", .{json}),
    };
}

fn bucket(context: Context, key: []const u8) Decision {
    const buckets: u32 = @intCast(context.integer("buckets").?);
    const share = context.bucket(key, context.text("salt").?, buckets) orelse return .{ .fail = "absent" };
    return failed("{d}", .{share});
}
