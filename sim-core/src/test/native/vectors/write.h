// The files that the vectors are written to.
#ifndef WRITE_H
#define WRITE_H
#include "vectors.h"

void write_form(const struct vector *first, int kind, int states);
void write_vector(const struct vector *v);
void write_family(const struct family *family, const char *directory, u64 first_seed, int total);
#endif
