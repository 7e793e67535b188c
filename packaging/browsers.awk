# manifest/browsers.tsv as C, for host/browsers/browsers.c; a row that makes no sense stops the build.
function wrong(what) {
	printf "%s:%d: %s: %s\n", FILENAME, FNR, $1, what > "/dev/stderr"
	failed = 1
	exit 1
}
BEGIN {
	FS = "\t"
	print "const struct browser browsers_all[] = {"
}
/^#/ || /^$/ || $1 == "browser" { next }
NF != 5 { wrong(NF " columns instead of 5") }
$2 !~ /^(chromium|firefox)$/ { wrong("no family '" $2 "'; there are chromium and firefox") }
$5 !~ /^(package|rpm|tool)$/ { wrong("'" $5 "' ships nothing; package, rpm and tool do") }
{
	printf "\t{\"%s\", BROWSER_%s, %s, \"%s\", BROWSER_SHIPPED_BY_%s},\n", $1, toupper($2),
		$3 == "-" ? "NULL" : "\"" $3 "\"", $4, toupper($5)
}
END {
	if (!failed) {
		print "\t{0},\n};"
	}
}
