/* "Did you mean …?" for mistyped words. */
#pragma once

/* The one of `words`, a list that ends with NULL, that `word` is most likely a slip of: at most one
 * letter in three is wrong, missing, too many or swapped with its neighbour, whatever the case. The
 * first of equals; NULL when none is near. */
const char *suggest(const char *word, const char *const *words);
