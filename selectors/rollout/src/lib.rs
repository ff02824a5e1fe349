//! Sends a tenth of the users to a candidate backend.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose_if_available};

spanmux_guest::export!(select);

/// Another salt draws another tenth: change it for the next rollout, or the same
/// users try everything first.
const SALT: &str = "rollout-7";
const PERCENT: u32 = 10;

fn select(context: &dyn RuntimeContext, available_tracers: &[String]) -> Decision {
    match context.bucket("user.id", SALT, 100) {
        // The rollout is called off by taking the candidate out of the registry.
        Some(share) if share < PERCENT => choose_if_available("candidate", available_tracers),
        _ => abstain(),
    }
}

#[cfg(test)]
mod tests {
    use spanmux_guest::choose;
    use spanmux_guest::mock::{MockContext, tracers};

    use super::*;

    fn decide(user: &str) -> Decision {
        let context = MockContext::new().with("user.id", user);
        select(&context, &tracers(["langfuse", "candidate"]))
    }

    #[test]
    fn about_a_tenth_of_the_users_try_the_candidate() {
        let chosen = (0..10_000)
            .filter(|user| decide(&format!("u-{user}")) == choose("candidate"))
            .count();
        assert!((900..1100).contains(&chosen), "{chosen} of 10,000");
    }

    #[test]
    fn a_user_stays_on_the_same_side() {
        assert_eq!(decide("u-3"), choose("candidate"));
        assert_eq!(decide("u-1"), abstain());
    }

    #[test]
    fn without_a_user_or_a_candidate_nothing_is_rolled_out() {
        assert_eq!(
            select(&MockContext::new(), &tracers(["candidate"])),
            abstain()
        );
        let context = MockContext::new().with("user.id", "u-3");
        assert_eq!(select(&context, &tracers(["langfuse"])), abstain());
    }
}
