# Spatial diagnostics and regressions of CRIME on INC and HOVAL in Columbus (../spatial/columbus.csv) by R's
# spdep 1.2-7 and spatialreg 1.2-6. Run in this folder: Rscript make_spatial_reference.R
suppressMessages({library(spdep); library(spatialreg)})
columbus <- read.csv("../spatial/columbus.csv")
pairs <- read.csv("../spatial/columbus_neighbors.csv")
neighbors <- lapply(columbus$region, function(region) sort(pairs$neighbor[pairs$region == region]))
class(neighbors) <- "nb"
row <- nb2listw(neighbors, style = "W")

rows <- list()
keep <- function(model, quantity, term, value) {
  value <- format(as.numeric(value), digits = 12, trim = TRUE)
  rows[[length(rows) + 1]] <<- data.frame(model, quantity, term, value)
}
terms <- function(names) sub("I\\(x - lambda \\* WX\\)", "", sub("lag\\.", "W ", sub("\\(Intercept\\)", "const", names)))
formula <- CRIME ~ INC + HOVAL

tests <- lm.LMtests(lm(formula, columbus), row, test = c("LMerr", "LMlag", "RLMerr", "RLMlag"))
names(tests) <- c("lm_error", "lm_lag", "robust_lm_error", "robust_lm_lag")
for (name in names(tests)) {
  keep("ols", "statistic", name, tests[[name]]$statistic)
  keep("ols", "p_value", name, tests[[name]]$p.value)
}

told <- function(model, fit, last, errors) {
  keep(model, "estimate", terms(names(coef(fit))), coef(fit))
  keep(model, "std_error", c(terms(names(fit$rest.se)), last), c(fit$rest.se, errors))
  keep(model, "log_likelihood", "", fit$LL)
}
impacts_of <- function(model, found) {
  for (kind in c("direct", "indirect", "total")) keep(model, kind, c("INC", "HOVAL"), found[[kind]])
}
lag <- lagsarlm(formula, columbus, row, tol.solve = 1e-14)
durbin <- lagsarlm(formula, columbus, row, Durbin = TRUE)
error <- errorsarlm(formula, columbus, row)
slx <- lmSLX(formula, columbus, row)
told("lag", lag, "rho", lag$rho.se)
told("durbin", durbin, "rho", durbin$rho.se)
told("error", error, "lambda", error$lambda.se)
impacts_of("lag", impacts(lag, listw = row))
impacts_of("durbin", impacts(durbin, listw = row))
slx_terms <- c("const", "INC", "HOVAL", "W INC", "W HOVAL")
keep("slx", "estimate", slx_terms, coef(slx))
keep("slx", "std_error", slx_terms, sqrt(diag(vcov(slx))))
keep("slx", "log_likelihood", "", logLik(slx))
write.csv(do.call(rbind, rows), "spatial.csv", row.names = FALSE, quote = FALSE)
