#!/usr/bin/env bash
# Expected: a unit test of an alerting rule fails if it names an alert that no rule file defines.
# Package and version: prometheus (Debian) 2.42.0+ds-5+deb12u1, command `promtool test rules`.
# Seen: the test that QueueTooLnog does not fire passes, although the rule QueueTooLong fires. A `rule_files` pattern
#   that matches no file passes as well, with a warning on standard error. After a rename, each test that expects an
#   alert to be silent passes without testing anything.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_debian prometheus=2.42.0+ds-5+deb12u1

cat >"$work/rules.yml" <<'YAML'
groups:
  - name: queue
    rules:
      - alert: QueueTooLong
        expr: queue_length > 10
YAML

# a test that the named alert does not fire while the queue is long
test_of() {
    cat <<YAML
rule_files: [$1]
tests:
  - interval: 1m
    input_series: [{series: queue_length, values: "50x10"}]
    alert_rule_test: [{eval_time: 5m, alertname: $2, exp_alerts: []}]
YAML
}

outcome_of() {
    test_of "$1" "$2" >"$work/test.yml"
    if with_debian "$debian/usr/bin/promtool" test rules "$work/test.yml" >"$work/log" 2>&1; then
        echo "$1, $2: passed"
    else
        echo "$1, $2: failed"
    fi
}

compare "rules.yml, QueueTooLong: failed
rules.yml, QueueTooLnog: passed
rulse*.yml, QueueTooLong: passed" \
    "$(outcome_of rules.yml QueueTooLong; outcome_of rules.yml QueueTooLnog; outcome_of 'rulse*.yml' QueueTooLong)"
