"""The service the wiki replaces, written anew from its documentation, to be measured beside the wiki."""
