"""The parts of the routing provider: context, route, sampler, processor, provider."""
