# manifest/browsers.tsv as C, for host/browsers/browsers.c; a row that makes no sense stops the build. `shipped`: the words of
# the column ships that the package at hand installs.
function wrong(what) {
	printf "%s:%d: %s: %s\n", FILENAME, FNR, $1, what > "/dev/stderr"
	failed = 1
	exit 1
}
function text(field) {
	return field == "-" ? "NULL" : "\"" field "\""
}
BEGIN {
	FS = "\t"
	print "const struct browser browsers_all[] = {"
}
/^#/ || /^$/ || $1 == "browser" { next }
NF != 6 { wrong(NF " columns instead of 6") }
$2 !~ /^(chromium|firefox)$/ { wrong("no family '" $2 "'; there are chromium and firefox") }
$5 !~ /^(package|rpm|tool)$/ { wrong("'" $5 "' ships nothing; package, rpm and tool do") }
{
	for_tool = $5 == "tool" && index(" " shipped " ", " tool ") == 0 ? "true" : "false"
	printf "\t{\"%s\", BROWSER_%s, %s, %s, \"%s\", %s},\n", $1, toupper($2), for_tool, text($3), $4, text($6)
}
END {
	if (!failed) {
		print "\t{0},\n};"
	}
}
