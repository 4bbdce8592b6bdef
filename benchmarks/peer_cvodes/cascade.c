/* The stiff cascade (see stiff_problems.py) by CVODES with callbacks in C: backward differentiation
   formulas, dense Newton matrix from the analytic Jacobian, forward sensitivities by the analytic
   equations under error control, output by interpolation. The unknowns are logarithms. */

#include <cvodes/cvodes.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_version.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <time.h>

#if SUNDIALS_VERSION_MAJOR >= 7
#define NO_COMMUNICATOR SUN_COMM_NULL
#else
#define NO_COMMUNICATOR NULL
#endif

enum { STATES = 6, UNKNOWNS = 8 };

typedef struct {
    double k[6], g, h;
} Parameters;

typedef struct {
    SUNContext context;
    void *cvodes;
    N_Vector x, *s;
    SUNMatrix matrix;
    SUNLinearSolver linear;
    Parameters p;
} Solver;

static void slopes(const Parameters *p, const double *x, double *dx) {
    dx[0] = p->k[0] * (1 / (1 + p->g * x[5]) - x[0]);
    for (int i = 1; i < STATES; i++)
        dx[i] = p->k[i] * (x[i - 1] * (1 - x[i]) - p->h * x[i]);
}

static int of_states(sunrealtype t, N_Vector x, N_Vector dx, void *data) {
    slopes(data, N_VGetArrayPointer(x), N_VGetArrayPointer(dx));
    return 0;
}

static int of_jacobian(sunrealtype t, N_Vector xv, N_Vector f, SUNMatrix j, void *data, N_Vector a,
                       N_Vector b, N_Vector c) {
    const Parameters *p = data;
    const double *x = N_VGetArrayPointer(xv);
    double fall = 1 / (1 + p->g * x[5]);
    SM_ELEMENT_D(j, 0, 0) = -p->k[0];
    SM_ELEMENT_D(j, 0, 5) = -p->k[0] * p->g * fall * fall;
    for (int i = 1; i < STATES; i++) {
        SM_ELEMENT_D(j, i, i - 1) = p->k[i] * (1 - x[i]);
        SM_ELEMENT_D(j, i, i) = -p->k[i] * (x[i - 1] + p->h);
    }
    return 0;
}

static int of_sensitivities(int n, sunrealtype t, N_Vector xv, N_Vector dxv, N_Vector *s,
                            N_Vector *ds, void *data, N_Vector a, N_Vector b) {
    const Parameters *p = data;
    const double *x = N_VGetArrayPointer(xv), *dx = N_VGetArrayPointer(dxv);
    double fall = 1 / (1 + p->g * x[5]), feedback = -p->k[0] * p->g * fall * fall;
    double gain[STATES], loss[STATES];
    for (int i = 1; i < STATES; i++) {
        gain[i] = p->k[i] * (1 - x[i]);
        loss[i] = p->k[i] * (x[i - 1] + p->h);
    }
    for (int j = 0; j < n; j++) {
        const double *v = N_VGetArrayPointer(s[j]);
        double *dv = N_VGetArrayPointer(ds[j]);
        dv[0] = feedback * v[5] - p->k[0] * v[0];
        for (int i = 1; i < STATES; i++) dv[i] = gain[i] * v[i - 1] - loss[i] * v[i];
        if (j < STATES) dv[j] += dx[j];
        if (j == 6) dv[0] += feedback * x[5];
        if (j == 7)
            for (int i = 1; i < STATES; i++) dv[i] -= p->k[i] * p->h * x[i];
    }
    return 0;
}

static void begin(Solver *solver) {
    N_VConst(0.0, solver->x);
    for (int j = 0; j < UNKNOWNS; j++) N_VConst(0.0, solver->s[j]);
}

static int make(Solver *solver, double rtol, int staggered) {
    static double ones[UNKNOWNS] = {1, 1, 1, 1, 1, 1, 1, 1};
    if (SUNContext_Create(NO_COMMUNICATOR, &solver->context)) return 1;
    solver->x = N_VNew_Serial(STATES, solver->context);
    solver->s = N_VCloneVectorArray(UNKNOWNS, solver->x);
    solver->cvodes = CVodeCreate(CV_BDF, solver->context);
    solver->matrix = SUNDenseMatrix(STATES, STATES, solver->context);
    solver->linear = SUNLinSol_Dense(solver->x, solver->matrix, solver->context);
    begin(solver);
    int failed = CVodeInit(solver->cvodes, of_states, 0.0, solver->x);
    failed |= CVodeSetUserData(solver->cvodes, &solver->p);
    failed |= CVodeSStolerances(solver->cvodes, rtol, rtol);
    failed |= CVodeSetLinearSolver(solver->cvodes, solver->linear, solver->matrix);
    failed |= CVodeSetJacFn(solver->cvodes, of_jacobian);
    failed |= CVodeSetMaxNumSteps(solver->cvodes, 100000);
    int way = staggered ? CV_STAGGERED : CV_SIMULTANEOUS;
    failed |= CVodeSensInit(solver->cvodes, UNKNOWNS, way, of_sensitivities, solver->s);
    failed |= CVodeSetSensParams(solver->cvodes, NULL, ones, NULL);
    failed |= CVodeSensEEtolerances(solver->cvodes);
    failed |= CVodeSetSensErrCon(solver->cvodes, SUNTRUE);
    return failed;
}

static void discard(Solver *solver) {
    CVodeFree(&solver->cvodes);
    SUNLinSolFree(solver->linear);
    SUNMatDestroy(solver->matrix);
    N_VDestroyVectorArray(solver->s, UNKNOWNS);
    N_VDestroy(solver->x);
    SUNContext_Free(&solver->context);
}

static double density(Solver *solver, int staggered, const double *theta, int samples,
                      const double *times, const double *data, double error, double *gradient) {
    for (int i = 0; i < 6; i++) solver->p.k[i] = exp(theta[i]);
    solver->p.g = exp(theta[6]);
    solver->p.h = exp(theta[7]);
    for (int j = 0; j < UNKNOWNS; j++) gradient[j] = 0;
    begin(solver);
    int way = staggered ? CV_STAGGERED : CV_SIMULTANEOUS;
    if (CVodeReInit(solver->cvodes, 0.0, solver->x)) return NAN;
    if (CVodeSensReInit(solver->cvodes, way, solver->s)) return NAN;
    double value = 0, reached;
    for (int t = 0; t < samples; t++) {
        if (times[t] > 0) {
            if (CVode(solver->cvodes, times[t], solver->x, &reached, CV_NORMAL) < 0) return NAN;
            if (CVodeGetSens(solver->cvodes, &reached, solver->s)) return NAN;
        }
        const double *x = N_VGetArrayPointer(solver->x);
        for (int i = 0; i < STATES; i++) {
            double residual = (data[STATES * t + i] - x[i]) / error;
            value -= 0.5 * residual * residual;
            for (int j = 0; j < UNKNOWNS; j++)
                gradient[j] += residual / error * N_VGetArrayPointer(solver->s[j])[i];
        }
    }
    return value;
}

double evaluate(const double *theta, int samples, const double *times, const double *data,
                double error, double rtol, int staggered, double *gradient) {
    Solver solver;
    if (make(&solver, rtol, staggered)) return NAN;
    double value = density(&solver, staggered, theta, samples, times, data, error, gradient);
    discard(&solver);
    return value;
}

/* Return the seconds that all points take, with one solver that is made before. */
double timed(const double *points, int number, int samples, const double *times, const double *data,
             double error, double rtol, int staggered, double *sink) {
    Solver solver;
    double gradient[UNKNOWNS];
    struct timespec from, to;
    if (make(&solver, rtol, staggered)) return NAN;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < number; i++) {
        const double *theta = points + UNKNOWNS * i;
        *sink += density(&solver, staggered, theta, samples, times, data, error, gradient);
        *sink += gradient[0];
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    discard(&solver);
    return to.tv_sec - from.tv_sec + 1e-9 * (to.tv_nsec - from.tv_nsec);
}
