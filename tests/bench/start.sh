#!/bin/bash
# start.sh [ROUNDS [MOST]] - what a start costs beyond systemd-nspawn's own: ours against the reference module's way.
#
# One container with IPv4 and IPv6, a forwarded port and two extra veths is started on one host in five ways in turn:
#   bare    systemd-nspawn with the same argv, nothing before or after
#   post    the same with an ExecStartPost= that does nothing: what systemd itself takes for a second process, which it
#           moves into its cgroup (up to systemd 254 that waits for a grace period of the kernel's RCU); ours does
#           without, see drivers/readiness.h
#   ours    container@.service
#   shell   the same unit with scripts that take the module's steps (shell-start)
#   module  the same unit with the module's own scripts (module-start)
# The time is systemd's own, from the start job's begin to active; machdeck-net runs for ours alone. The guest
# boots a small Debian, beside which some of what we do goes on; with GUEST=bare it is a systemd with nothing to start.
#
# The host runs at a high priority, so that what else the machine does has little part in it. Not at a real-time one: there,
# what is woken waits until those before it give their processor up, and a mere ExecStartPost=/bin/true costs 20 ms.
# Most of a start is waiting in the kernel, each time for as long as it comes, so a figure is the mean of the differences to
# the bare starts of the same round, without the highest and the lowest fifth, and ± its standard error. Rounds are added
# in tens, up to MOST, until the error of (ours - bare) is less than a thirtieth of (shell - bare); what comes out plays no
# part in that. Fails when (ours - bare) is more than 10 % of (shell - bare), when ours takes more than three processes,
# or when a side's network takes more than one send.
. "$(dirname "$0")/../lab/lib.sh"
rounds=${1:-30} most=${2:-60}
ways=(bare container@bench shell bare container@bench post module) # ours is the smallest difference
renice -n -20 -p $$ >/dev/null || echo "at no high priority: what else the machine does counts"
lab_host h --bind "$(realpath "$(dirname "$0")"):/bench"

on h env "GUEST=${GUEST:-}" bash /bench/scene.sh

# A line a way: its mean difference to bare and the error of that, in ms; then the ratio in %, and of that the error.
figures() {
	awk -v g=0.2 '
		function trimmed(v, n,    i, j, k, t, sum, mean, square) {
			for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
			k = int(g * n)
			for (i = k + 1; i <= n - k; i++) MEAN += v[i] / (n - 2 * k)
			for (i = 1; i <= n; i++) sum += w(v, i, k, n)
			mean = sum / n
			for (i = 1; i <= n; i++) square += (w(v, i, k, n) - mean) ^ 2
			ERROR = sqrt(square / (n - 1)) / ((1 - 2 * k / n) * sqrt(n))
		}
		function w(v, i, k, n) { return i <= k ? v[k + 1] : i > n - k ? v[n - k] : v[i] }
		{ t[$2, $1] += $3 / 1000; count[$2]++; way[$2]; if ($1 > n) n = $1 }
		END {
			for (x in way) for (i = 1; i <= n; i++) t[x, i] /= count[x] / n
			for (x in way) {
				for (i = 1; i <= n; i++) v[i] = t[x, i] - (x == "bare" ? 0 : t["bare", i])
				MEAN = 0; trimmed(v, n); mean[x] = MEAN; error[x] = ERROR
				printf "%s %.2f %.2f\n", x, MEAN, ERROR
			}
			ratio = mean["container@bench"] / mean["shell"]
			for (i = 1; i <= n; i++) v[i] = t["container@bench", i] - t["bare", i] - ratio * (t["shell", i] - t["bare", i])
			MEAN = 0; trimmed(v, n)
			printf "ratio %.1f %.1f\n", 100 * ratio, 100 * ERROR / mean["shell"]
		}' <<<"$times"
}

on h bash /bench/rounds.sh 0 0 "${ways[@]}" >/dev/null # warms up
times=$(on h bash /bench/rounds.sh 1 "$rounds" "${ways[@]}")
declare -A mean error
while :; do
	while read -r way m e; do mean[$way]=$m error[$way]=$e; done < <(figures)
	((rounds + 10 <= most)) || break
	awk -v e="${error[container@bench]}" -v s="${mean[shell]}" 'BEGIN { exit e < s / 30 }' || break
	times+=$'\n'$(on h bash /bench/rounds.sh $((rounds + 1)) $((rounds + 10)) "${ways[@]}")
	rounds=$((rounds + 10))
done

echo "start, $rounds rounds: bare ${mean[bare]} ms, and beyond that" \
	"shell ${mean[shell]} ±${error[shell]}, module ${mean[module]} ±${error[module]}, post ${mean[post]} ±${error[post]}," \
	"ours ${mean[container@bench]} ±${error[container@bench]} ms"
echo "ours is ${mean[ratio]} % ±${error[ratio]} of the shell way"

counts=$(on h bash /bench/counts.sh)
echo "$counts"
awk -v r="${mean[ratio]}" '/processes of ours/ { n = $4 } /sends/ { if ($NF > 1) bad = 1 } END { exit r > 10 || n > 3 || bad }' <<<"$counts"
