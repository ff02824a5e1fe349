import unittest

from selector import select
from spanmux import Mock


class Environments(unittest.TestCase):
    def test_environment_selects_its_tracer(self):
        for environment, tracer in [
            ("production", "langfuse"),
            ("development", "console"),
            ("staging", None),
            (7, None),
        ]:
            with self.subTest(environment=environment):
                context = Mock({"environment": environment})
                self.assertEqual(select(context, ["langfuse", "console"]), tracer)

    def test_abstains_without_environment(self):
        self.assertIsNone(select(Mock({}), ["langfuse", "console"]))


if __name__ == "__main__":
    unittest.main()
