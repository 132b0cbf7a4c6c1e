# Firth's logistic model by brglm2, and the penalized likelihood ratio by a direct search; writes odds.csv.
# Run in this folder: Rscript make_reference.R
suppressMessages(library(brglm2))
data <- "../../../data/kazakhstan-2022/"
table1 <- read.csv(paste0(data, "table1.csv"))
known <- read.csv(paste0(data, "covariates.csv"))
logs <- function(indicator) {
  rows <- known[known$indicator == indicator, ]
  setNames(log(rows$value / rows$base), rows$region)
}
covariates <- list("R&D personnel" = logs("R&D personnel"), "GRP per head" = logs("GRP per head"))

penalized <- function(coefficients, y, z) {
  linear <- coefficients[1] + coefficients[2] * z
  p <- plogis(linear)
  w <- p * (1 - p)
  information <- matrix(c(sum(w), sum(w * z), sum(w * z), sum(w * z^2)), 2)
  value <- sum(y * linear - log1p(exp(-abs(linear))) - pmax(linear, 0)) + log(det(information)) / 2
  if (is.finite(value)) value else -1e10
}
# Largest penalized likelihood with the slope given, over a fine grid of intercepts and a search from its best point.
profile <- function(slope, y, z) {
  grid <- seq(-abs(slope) * 4 - 10, abs(slope) * 4 + 10, length.out = 4001)
  values <- sapply(grid, function(a) penalized(c(a, slope), y, z))
  best <- grid[which.max(values)]
  step <- grid[2] - grid[1]
  optimize(function(a) penalized(c(a, slope), y, z), c(best - step, best + step), maximum = TRUE, tol = 1e-12)$objective
}
rows <- NULL
for (sector in unique(table1$sector)) for (covariate in names(covariates)) {
  cells <- table1[table1$sector == sector, ]
  y <- as.integer(cells$lq >= 1)
  z <- scale(covariates[[covariate]][cells$region])[, 1]
  fit <- glm(y ~ z, family = binomial, method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 10000)
  top <- penalized(coef(fit), y, z)
  ratio <- 2 * (top - profile(0, y, z))
  limit <- function(side) {
    excess <- function(b) 2 * (top - profile(b, y, z)) - qchisq(.95, 1)
    far <- coef(fit)[2] + side
    while (excess(far) < 0) far <- far + side
    uniroot(excess, sort(c(far - side, far)), tol = 1e-11)$root
  }
  rows <- rbind(rows, data.frame(sector, covariate, reach = sum(y), intercept = coef(fit)[1], slope = coef(fit)[2],
    statistic = ratio, p_value = pchisq(ratio, 1, lower.tail = FALSE), low = limit(-1), high = limit(1)))
}
write.csv(format(rows, digits = 12, trim = TRUE), "odds.csv", row.names = FALSE, quote = FALSE)
