// Firefox looks for the system's new extensions only after its window is open, and then does not start them. At the next start
// they count as old ones, which got no access to sites, so in a profile that is older than this package Portlight would never
// run. 8 is the system's folder of extensions: Firefox looks there while it starts.
pref("extensions.startupScanScopes", 8);
