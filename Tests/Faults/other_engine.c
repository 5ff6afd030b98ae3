// An engine whose interface has a number that none has.
int ct_interface(void) { return -1; }
