//! Sends a tenth of the users to a candidate backend.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose_if_available};

spanmux_guest::export!(select);

/// The salt of the buckets. Change it for every rollout: a different salt selects a
/// different tenth of the users. Otherwise the same users always get new backends first.
const SALT: &str = "rollout-7";
const PERCENT: u32 = 10;

fn select(context: &dyn RuntimeContext, available_tracers: &[String]) -> Decision {
    match context.bucket("user.id", SALT, 100) {
        // Removing the candidate from the registry stops the rollout.
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
    fn about_a_tenth_of_the_users_select_the_candidate() {
        let chosen = (0..10_000)
            .filter(|user| decide(&format!("u-{user}")) == choose("candidate"))
            .count();
        assert!((900..1100).contains(&chosen), "{chosen} of 10,000");
    }

    #[test]
    fn decision_is_stable_per_user() {
        assert_eq!(decide("u-3"), choose("candidate"));
        assert_eq!(decide("u-1"), abstain());
    }

    #[test]
    fn abstains_without_user_or_candidate() {
        assert_eq!(
            select(&MockContext::new(), &tracers(["candidate"])),
            abstain()
        );
        let context = MockContext::new().with("user.id", "u-3");
        assert_eq!(select(&context, &tracers(["langfuse"])), abstain());
    }
}
