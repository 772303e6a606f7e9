/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The quantile of the normal distribution: the rational approximations of M. J. Wichura, Algorithm AS 241, Applied
 * Statistics 37 (1988) 477-484, relative error about 1e-16. The centre |p - 1/2| <= 0.425 needs arithmetic only; the
 * tails need sqrt(-log p), with a logarithm of our own and the square root of the hardware. */
#include "random/random.h"

#include <string.h>

enum { DEGREE = 7 };
typedef struct ratio { double top[DEGREE + 1], bottom[DEGREE + 1]; } ratio;   /* coefficients, constant term first */

static const ratio centre = {
    { 3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
      4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3 },
    { 1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
      2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3 }
};
static const ratio tail = {     /* 0.075 > p > exp(-25) */
    { 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
      1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4 },
    { 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
      1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9 }
};
static const ratio far_tail = {
    { 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
      2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7 },
    { 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
      7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15 }
};

static double polynomial(const double *c, double x)
{
    double y = c[DEGREE];

    for (int i = DEGREE - 1; i >= 0; i--)
        y = y * x + c[i];
    return y;
}

static double at(const ratio *r, double x)
{
    return polynomial(r->top, x) / polynomial(r->bottom, x);
}

/* Natural logarithm of a normal number x > 0. With x = 2^e m and sqrt(1/2) <= m < sqrt(2), log m = 2 artanh s for
 * s = (m - 1) / (m + 1), |s| < 0.172: eleven terms of the series leave 2e-17. */
static double logarithm(double x)
{
    static const double ln2 = 0.693147180559945309417, root_half = 0.707106781186547524401;
    double s, s2, series = 0.0;
    uint64_t bits;
    int e;

    memcpy(&bits, &x, sizeof bits);
    e = (int)(bits >> 52) - 1022;
    bits = (bits & 0xfffffffffffff) | (uint64_t)1022 << 52;
    memcpy(&x, &bits, sizeof x);
    if (x < root_half) {
        x *= 2.0;
        e--;
    }
    s = (x - 1.0) / (x + 1.0);
    s2 = s * s;
    for (int i = 21; i >= 1; i -= 2)
        series = series * s2 + 1.0 / i;
    return e * ln2 + 2.0 * s * series;
}

double dyn__normal_quantile(double p)
{
    double q = p - 0.5, r;

    if (q >= -0.425)
        return q * at(&centre, 0.180625 - q * q);
    r = __builtin_sqrt(-logarithm(p));
    return r <= 5.0 ? -at(&tail, r - 1.6) : -at(&far_tail, r - 5.0);
}
