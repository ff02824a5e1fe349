//! Sends production to Langfuse and development to the console. Abstains otherwise.

const std = @import("std");
const spanmux = @import("spanmux.zig");

comptime {
    spanmux.exportSelector(select);
}

pub fn select(context: spanmux.Context, tracers: []const spanmux.Text) spanmux.Decision {
    _ = tracers;
    const environment = context.text("environment") orelse return .abstain;
    if (std.mem.eql(u8, environment, "production")) return .{ .choose = "langfuse" };
    if (std.mem.eql(u8, environment, "development")) return .{ .choose = "console" };
    return .abstain;
}

test "environment selects its tracer" {
    const expect = std.testing.expectEqualDeep;
    const Decision = spanmux.Decision;
    for ([_]struct { spanmux.Value, Decision }{
        .{ .{ .text = "production" }, .{ .choose = "langfuse" } },
        .{ .{ .text = "development" }, .{ .choose = "console" } },
        .{ .{ .text = "staging" }, .abstain },
        .{ .{ .integer = 7 }, .abstain },
    }) |row| {
        const context = spanmux.Context{ .entries = &.{.{ "environment", row[0] }} };
        try expect(row[1], select(context, &.{}));
    }
    try expect(@as(Decision, .abstain), select(.{}, &.{}));
}
