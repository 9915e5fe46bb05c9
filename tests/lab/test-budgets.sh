#!/bin/bash
# What the dashboard may cost, in short; tests/bench/dashboard.sh has all of it.
SLACK=1.2
. "$(dirname -- "$(realpath -- "$0")")/budgets.sh"

budget_host
twelve_machines

# within NAME... - the figures on stdin are within their budgets, and these are among them.
within() {
	local judged name
	judged=$(judge) || fail "$(grep FAILS <<<"$judged" | tr -s ' ' | tr '\n' ';')"
	for name; do grep -q "^$name " <<<"$judged" || fail "$name was not measured: $judged"; done
}

twelve_machines_are_there_in_fifty_ms() { echo "12_first_data_ms $(first_frame 5 m07 machdeck)" | within 12_first_data_ms; }

a_key_costs_few_bytes_and_little_time() {
	drive 80x24 machdeck <<-'END' | figures 80x24 | within 80x24_cursor_bytes 80x24_cursor_first_ms 80x24_cursor_last_ms
	first m07
	rest 1500
	key cursor 30 j j j j j k k k k k
	END
}

idle_without_statistics_it_does_not_wake_at_all() {
	on ui bash -c 'mkdir -p /etc/machdeck; echo "columns = name,state,address,ports" >/etc/machdeck/machdeck.conf'
	drive 80x24 machdeck --period=0 <<-'END' | sed 's/_per_s//; s/^/hidden_/' | within hidden_idle_wakeups hidden_idle_bytes hidden_idle_children
	first m07
	rest 1500
	idle idle 4
	END
	on ui rm /etc/machdeck/machdeck.conf
}

what_changes_is_on_the_screen_in_fifty_ms() {
	drive 80x24 machdeck <<-'END' | within conf_ms
	first m07
	rest 500
	event conf newcomer	echo PRIVATE_NETWORK=1 >/etc/containers/.new; mv /etc/containers/.new /etc/containers/newcomer.conf
	sh rm /etc/containers/newcomer.conf
	END
}

run_cases "$@"
