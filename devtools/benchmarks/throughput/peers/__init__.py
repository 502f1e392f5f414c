"""What runs in the peers' environment: it imports neither this project nor its dependencies."""
