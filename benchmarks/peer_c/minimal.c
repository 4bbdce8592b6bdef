/* The minimal model by hand: Dormand-Prince 5(4) with forward sensitivities, log-density, gradient.
 *
 * Sensitivities are by the logarithm of each parameter, S_ij p_j, so that the scale atol + rtol |z|
 * below is atol / |p_j| + rtol |S_ij| for S_ij itself. X depends on SI and p2 only; the two
 * structural zeros are left out, and eight components fill one vector register:
 *     G, dG/dlog SG, dG/dlog SI, dG/dlog p2, dG/dlog V, X, dX/dlog SI, dX/dlog p2.
 *
 * One step of the method is written twice: with PLAIN as loops over arrays, as one would by hand,
 * and else in vectors and shuffles of the processor, as one would for this model alone.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#define PERSONS 40
#define MOST_SAMPLES 64
#define MOST_STEPS 20000
#define HALF_LOG_TWO_PI 0.91893853320467274178

typedef double vec __attribute__((vector_size(64)));
typedef long long mask __attribute__((vector_size(64)));

typedef struct {
    int samples, first_used;
    double basal_glucose, dose, floor;
    double log_median[4], log_sd[4], error_scale, omega_log_median, omega_log_sd;
    const double *minutes; /* samples */
    const double *excess;  /* persons x samples: insulin above basal */
    const double *glucose; /* persons x samples */
    double rtol, atol, action_scale; /* absolute tolerance of X: atol times its scale */
} Problem;

/* The equations are  rest + push * excess - rate * y - partner * weight - X * y, by component. */
typedef struct {
    vec rest, push, rate, fixed;
} Rates;

static inline Rates rates(const double *parameters, double basal)
{
    const double sg = parameters[0], p2 = parameters[2], gain = parameters[1] * p2;
    const Rates r = {{sg * basal, sg * basal, 0, 0, 0, 0, 0, 0},
                     {0, 0, 0, 0, 0, gain, gain, gain},
                     {sg, sg, sg, sg, sg, p2, p2, p2},
                     {0, sg, p2, 0, 0, 0, 0, 0}};
    return r;
}

#ifdef PLAIN

/* As most people would write it: the equations one by one, the method as loops over arrays. */
static inline void derivative(const Rates *r, const double *y, double excess, double *out)
{
    const double sg = r->rate[0], p2 = r->rate[5], gain = r->push[5], basal = r->rest[0] / sg;
    out[0] = sg * (basal - y[0]) - y[5] * y[0];
    out[1] = sg * (basal - y[0]) - (sg + y[5]) * y[1];
    out[2] = -(sg + y[5]) * y[2] - y[6] * y[0];
    out[3] = -(sg + y[5]) * y[3] - y[7] * y[0];
    out[4] = -(sg + y[5]) * y[4];
    out[5] = gain * excess - p2 * y[5];
    out[6] = gain * excess - p2 * y[6];
    out[7] = gain * excess - p2 * (y[5] + y[7]);
}

static inline vec slope(const Rates *r, vec y, double excess)
{
    double in[8], out[8];
    vec result;
    for (int i = 0; i < 8; i++) in[i] = y[i];
    derivative(r, in, excess, out);
    for (int i = 0; i < 8; i++) result[i] = out[i];
    return result;
}

static const double NODES[7] = {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1};
static const double STAGES[7][6] = {
    {0},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
static const double ERROR[7] = {71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200,
                                22.0 / 525, -1.0 / 40};

static inline double step(const Rates *r, const Problem *p, vec y, vec k1, double h, double u,
                          double rise, vec *out, vec *k7)
{
    double k[7][8], z[8], total = 0.0;
    for (int i = 0; i < 8; i++) k[0][i] = k1[i];
    for (int s = 1; s < 7; s++) {
        for (int i = 0; i < 8; i++) {
            double sum = 0.0;
            for (int j = 0; j < s; j++) sum += STAGES[s][j] * k[j][i];
            z[i] = y[i] + h * sum;
        }
        derivative(r, z, u + NODES[s] * h * rise, k[s]);
    }
    for (int i = 0; i < 8; i++) {
        const double atol = p->atol * (i < 5 ? 1.0 : p->action_scale);
        double error = 0.0;
        for (int j = 0; j < 7; j++) error += ERROR[j] * k[j][i];
        error *= h / (atol + p->rtol * fmax(fabs(y[i]), fabs(z[i])));
        total += error * error;
        (*out)[i] = z[i];
        (*k7)[i] = k[6][i];
    }
    return total / 8;
}

#else

static inline vec slope(const Rates *r, vec y, double excess)
{
    const vec zero = {0};
    const vec partner = __builtin_shuffle(y, r->fixed, (mask){8, 9, 6, 7, 8, 8, 8, 10});
    const vec weight = __builtin_shuffle(y, (mask){0, 0, 0, 0, 0, 5, 5, 5});
    const vec action = __builtin_shuffle(y, zero, (mask){5, 5, 5, 5, 5, 8, 8, 8});
    return r->rest + r->push * excess - r->rate * y - partner * weight - action * y;
}

static inline vec size(vec a)
{
    return (vec)((mask)a & 0x7fffffffffffffffLL);
}

static inline vec larger(vec a, vec b)
{
    const mask first = a > b;
    return (vec)((first & (mask)a) | (~first & (mask)b));
}

/* One step from (y, k1): the new state, its slope in k7, and the mean squared scaled error. */
static inline double step(const Rates *r, const Problem *p, vec y, vec k1, double h, double u,
                          double rise, vec *out, vec *k7)
{
    const double hr = h * rise, rtol = p->rtol, a = p->atol, x = a * p->action_scale;
    const vec atol = {a, a, a, a, a, x, x, x};
    const vec k2 = slope(r, y + (h * (1.0 / 5)) * k1, u + hr * (1.0 / 5));
    const vec k3 = slope(r, y + (h * (3.0 / 40)) * k1 + (h * (9.0 / 40)) * k2, u + hr * (3.0 / 10));
    const vec k4 = slope(r, y + (h * (44.0 / 45)) * k1 + (h * (-56.0 / 15)) * k2
                                + (h * (32.0 / 9)) * k3, u + hr * (4.0 / 5));
    const vec k5 = slope(r, y + (h * (19372.0 / 6561)) * k1 + (h * (-25360.0 / 2187)) * k2
                                + (h * (64448.0 / 6561)) * k3 + (h * (-212.0 / 729)) * k4,
                         u + hr * (8.0 / 9));
    const vec k6 = slope(r, y + (h * (9017.0 / 3168)) * k1 + (h * (-355.0 / 33)) * k2
                                + (h * (46732.0 / 5247)) * k3 + (h * (49.0 / 176)) * k4
                                + (h * (-5103.0 / 18656)) * k5, u + hr);
    const vec next = y + (h * (35.0 / 384)) * k1 + (h * (500.0 / 1113)) * k3
                     + (h * (125.0 / 192)) * k4 + (h * (-2187.0 / 6784)) * k5 + (h * (11.0 / 84)) * k6;
    const vec last = slope(r, next, u + hr);
    const vec error = (h * (71.0 / 57600)) * k1 + (h * (-71.0 / 16695)) * k3
                      + (h * (71.0 / 1920)) * k4 + (h * (-17253.0 / 339200)) * k5
                      + (h * (22.0 / 525)) * k6 + (h * (-1.0 / 40)) * last;
    const vec e = error / (atol + rtol * larger(size(y), size(next)));
    const vec s = e * e;
    *out = next;
    *k7 = last;
    return (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))) * 0.125;
}

#endif

/* Solve for one person; rows of 8 at every sample. Returns the number of steps, or -1. */
static int solve(const Problem *p, const double *parameters, const double *excess, vec *rows)
{
    const double first = p->dose / parameters[3];
    const Rates r = rates(parameters, p->basal_glucose);
    vec y = {p->basal_glucose + first, 0, 0, 0, -first, 0, 0, 0}, next, last;
    vec k1 = slope(&r, y, excess[0]);
    double h = 1.0;
    int taken = 0;
    rows[0] = y;
    for (int i = 0; i + 1 < p->samples; i++) {
        const double length = p->minutes[i + 1] - p->minutes[i];
        const double rise = (excess[i + 1] - excess[i]) / length;
        double t = 0.0;
        for (int arrived = 0; !arrived;) {
            const double left = length - t;
            const double now = h >= left ? left : (2 * h > left ? left / 2 : h);
            const double square = step(&r, p, y, k1, now, excess[i] + rise * t, rise, &next, &last);
            if (++taken > MOST_STEPS || !(square < 1e60)) return -1;
            const double wish = 0.9 * powf((float)(square + 1e-20), -0.1f);
            if (square <= 1.0) {
                y = next;
                k1 = last;
                t += now;
                arrived = now == left;
                const double proposal = now * (wish > 6.0 ? 6.0 : wish);
                h = now < h && proposal < h && wish >= 1.0 ? h : proposal;
            } else {
                h = now * (wish < 0.2 ? 0.2 : wish);
            }
        }
        rows[i + 1] = y;
    }
    return taken;
}

/* Add the likelihood of one person and its gradient by log SG, SI, p2, V and log glucose_cv. */
static int likelihood(const Problem *p, const double *parameters, double cv, int person,
                      double *value, double *gradient)
{
    vec rows[MOST_SAMPLES], total = {0};
    const double *glucose = p->glucose + person * p->samples;
    const double squared = cv * cv, constant = p->floor * p->floor;
    double fit = 0.0, product = 1.0, by_error = 0.0;
    int taken = solve(p, parameters, p->excess + person * p->samples, rows);
    if (taken < 0) return -1;
    for (int i = p->first_used; i < p->samples; i++) {
        const double mean = rows[i][0], residual = glucose[i] - mean;
        const double variance = squared * mean * mean + constant, precision = 1.0 / variance;
        const double scaled = residual * precision, surplus = residual * scaled - 1.0;
        fit -= 0.5 * residual * scaled;
        product *= variance;
        if (product < 1e-200 || product > 1e200) {
            fit -= 0.5 * log(product);
            product = 1.0;
        }
        by_error += surplus * precision * squared * mean * mean;
        total += (scaled + surplus * precision * squared * mean) * rows[i];
    }
    *value += fit - 0.5 * log(product) - HALF_LOG_TWO_PI * (p->samples - p->first_used);
    for (int j = 0; j < 4; j++) gradient[j] += total[j + 1];
    gradient[4] += by_error;
    return taken;
}

static inline double normal(double x, double mean, double sd, double *gradient)
{
    const double z = (x - mean) / sd;
    *gradient -= z / sd;
    return -0.5 * z * z - log(sd) - HALF_LOG_TWO_PI;
}

static inline double half_normal(double log_x, double x, double scale, double *gradient)
{
    const double square = x * x / (scale * scale);
    *gradient += 1.0 - square;
    return -0.22579135264472743236 - log(scale) - 0.5 * square + log_x; /* log sqrt(2 / pi) */
}

/* Log-density and gradient of one person; theta is log SG, SI, p2, V, glucose_cv. */
double pacini(const Problem *p, const double *theta, double *gradient)
{
    double parameters[5], value = 0.0;
    memset(gradient, 0, 5 * sizeof *gradient);
    for (int j = 0; j < 5; j++) parameters[j] = exp(theta[j]);
    if (likelihood(p, parameters, parameters[4], 0, &value, gradient) < 0) return -INFINITY;
    for (int j = 0; j < 4; j++)
        value += normal(theta[j], p->log_median[j], p->log_sd[j], gradient + j);
    return value + half_normal(theta[4], parameters[4], p->error_scale, gradient + 4);
}

/* The same for forty: log mu, log omega, log glucose_cv, then z, log SG, log p2, log V of each. */
double cohort(const Problem *p, const double *theta, double *gradient)
{
    static const int own[3] = {0, 2, 3};
    const double omega = exp(theta[1]), cv = exp(theta[2]);
    double value = 0.0;
    memset(gradient, 0, (3 + 4 * PERSONS) * sizeof *gradient);
    for (int i = 0; i < PERSONS; i++) {
        const double z = theta[3 + i];
        double parameters[4], part[5] = {0};
        parameters[1] = exp(theta[0] + omega * z);
        for (int j = 0; j < 3; j++) parameters[own[j]] = exp(theta[3 + (j + 1) * PERSONS + i]);
        if (likelihood(p, parameters, cv, i, &value, part) < 0) return -INFINITY;
        gradient[0] += part[1];
        gradient[1] += part[1] * omega * z;
        gradient[2] += part[4];
        gradient[3 + i] += part[1] * omega;
        value += normal(z, 0.0, 1.0, gradient + 3 + i);
        for (int j = 0; j < 3; j++) {
            const int at = 3 + (j + 1) * PERSONS + i, k = own[j];
            gradient[at] += part[k];
            value += normal(theta[at], p->log_median[k], p->log_sd[k], gradient + at);
        }
    }
    value += normal(theta[0], p->log_median[1], p->log_sd[1], gradient);
    value += normal(theta[1], p->omega_log_median, p->omega_log_sd, gradient + 1);
    return value + half_normal(theta[2], cv, p->error_scale, gradient + 2);
}

/* Solve for the first person into rows of 8, for the check of the solution. Returns the steps. */
int trajectory(const Problem *p, const double *parameters, double *out)
{
    vec rows[MOST_SAMPLES];
    const int taken = solve(p, parameters, p->excess, rows);
    for (int i = 0; i < p->samples; i++)
        for (int j = 0; j < 8; j++) out[8 * i + j] = rows[i][j];
    return taken;
}

/* Seconds to evaluate every point, over and over; sink keeps the work alive. */
double timed(const Problem *p, const double *points, int number, int repeats, double *sink)
{
    const int wide = 3 + 4 * PERSONS, narrow = 5, size = p->omega_log_sd > 0 ? wide : narrow;
    double gradient[3 + 4 * PERSONS], sum = 0.0;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int k = 0; k < repeats; k++)
        for (int i = 0; i < number; i++) {
            const double *theta = points + (long)i * size;
            sum += size == wide ? cohort(p, theta, gradient) : pacini(p, theta, gradient);
            sum += gradient[0];
        }
    clock_gettime(CLOCK_MONOTONIC, &end);
    *sink = sum;
    return (end.tv_sec - begin.tv_sec) + 1e-9 * (end.tv_nsec - begin.tv_nsec);
}
