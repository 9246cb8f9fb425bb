# One word for each task. Without a word: this list.
[private]
default:
    @just --list

# Compile all
build:
    cargo build --workspace --all-targets

# Run all tests
test *ARGS:
    ./test {{ARGS}}

# Format all
fmt:
    cargo fmt --all

# Format and lints as CI wants them
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, duplicates and sources of the dependencies
deny:
    cargo deny check bans licenses sources

# Emit FHIR and have it read by the official engine, the schemas and independent models
check: emit
    checks/run target/emitted

# Map all fixtures, and keep what the service answers about them, in JSON and XML below target/emitted
emit:
    checks/emit target/emitted
    checks/serve target/emitted

# Compile the guide, make its pack, and its examples again (after a change of the guide or of the mapping)
guide: emit
    profiles/examples
    profiles/capability target/emitted/served/capability-statement.json
    profiles/build
    definitions/make-packs kap-guide

# Is what is committed of the guide what its sources, the mapping and the service say?
guide-check: emit
    profiles/examples --check
    profiles/capability target/emitted/served/capability-statement.json --check
    profiles/build --check
    definitions/make-packs --check

# Give the checks good and broken resources: do they see the difference?
prove:
    checks/prove

# Client libraries that others wrote (JavaScript, Python, Java) drive every interaction
clients *ARGS:
    checks/clients/run {{ARGS}}

# Load Synthea's bundles whole, and compare what is found with looking at every resource: PATIENTS, all of them by default
searches *ARGS:
    checks/searches/run {{ARGS}}

# schemathesis holds a gateway to openapi.yaml: EXAMPLES for each operation, SEED
contract *ARGS:
    checks/contract/run {{ARGS}}

# Measure: release build, ratios within one run
bench *ARGS:
    cargo bench {{ARGS}}

# Load on the gateway and, where they are, on other FHIR servers: compare, million or hour (bench/README.md)
load *ARGS:
    bench/run {{ARGS}}

# Start with the fixture courses loaded, and print what to try
demo:
    cargo run --quiet -- demo

# Start on 127.0.0.1:8080
serve *ARGS:
    cargo run --quiet -- serve {{ARGS}}

# All that CI does
ci:
    bash .ci/run
