#!/usr/bin/perl
# gate.pl FILE... - names each public function from which, within its file, something is reached that changes the
# system without gate_ask() being called on the way, or by what is called there. A top-level definition is a node, a
# mention is an edge.
use strict;
use warnings;

my $changes = qr{
	"(?:Start|Stop|Reload|Restart|Kill|ResetFailed|Freeze|Thaw)Unit" | "ReloadOrRestartUnit" | "CancelJob" | "Cancel" |
	"(?:Enable|Disable|Mask|Unmask|Link|Preset|Reenable|Revert)UnitFiles" | "SetUnitProperties" | "StartTransientUnit" | "Reload" |
	"(?:Terminate|Kill|Unregister|Register|Create)Machine" | "OpenMachine(?:Shell|Login|PTY)" | "BindMountMachine" |
	"CopyToMachine" | "(?:Clone|Rename|Remove)Image" | "Set(?:ImageLimit|PoolLimit|Environment|Property)" |
	\bRTM_(?:NEW|DEL|SET)(?:LINK|ADDR|ROUTE|RULE|NEIGH|NSID|LINKPROP)\b(?=\s*,) | \bNFT_MSG_(?:NEW|DEL)\w+ |
	\bO_(?:CREAT|TRUNC|WRONLY)\b | \b(?:mkdir|rename|renameat2|unlink|symlink|link|mknod|mkdir|rename|fchown)(?:at)?\( | \bloginshell_exec\(
}x;
my $bad = 0;

for my $file (@ARGV) {
	open my $in, '<', $file or die "$file: $!";
	my (%body, %public);
	my $name = '';
	for (<$in>) {
		s{//.*|/\*.*?\*/}{}g;
		next if m{^\s*\*|^#|^/\*};
		if (/^[A-Za-z]/ && !/^\w+:/) {
			my ($found) = /\(/ ? /(\w+)\(/ : /(\w+)(?:\[[^]]*\])?\s*=/;
			$name = $found // $name;
			$public{$name} = 1 if $found && /\(/ && !/^static|^struct \w+ \{|^typedef|;\s*$/;
		} elsif (/^} (\w+)\[?\]? = /) { # static const struct {...} NAME[] = {
			$body{$1} = ($body{$1} // '') . ($body{$name} // '');
			$name = $1;
		}
		$body{$name} .= $_;
	}
	my @asking = grep { $body{$_} =~ /\bgate_ask\(/ } keys %body;
	for my $root (sort keys %public) {
		my @path = ($root);
		my %seen;
		while (defined(my $at = shift @path)) {
			next if $seen{$at}++ || grep { $_ eq $at || $body{$at} =~ /\b\Q$_\E\(/ } @asking;
			if ($body{$at} =~ /($changes)/) {
				print "$file: $root() reaches $1", ($at eq $root ? '' : " in $at()"), " and does not ask the gate\n";
				$bad = 1;
				last;
			}
			push @path, grep { $_ ne $at && $body{$at} =~ /\b\Q$_\E\b/ } keys %body;
		}
	}
}
exit $bad;
