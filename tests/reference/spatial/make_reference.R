# Values of spdep on its Columbus (oldcol) and North Carolina (nc.sids) data; see README.md.
# Run in this folder: Rscript make_reference.R
suppressMessages({library(spdep); library(spData)})
options(digits = 15)

data(oldcol)  # COL.OLD, COL.nb
data(nc.sids) # nc.sids, ncCR85.nb
crime <- COL.OLD$CRIME
inc <- COL.OLD$INC
hoval <- COL.OLD$HOVAL

number <- function(x) format(x, digits = 15, trim = TRUE)
save <- function(frame, name) write.csv(frame, name, row.names = FALSE, quote = FALSE)
pairs <- function(nb) data.frame(region = rep(seq_along(nb), card(nb)), neighbor = unlist(nb))

region <- seq_along(crime)
save(data.frame(region, CRIME = number(crime), INC = number(inc), HOVAL = number(hoval)), "columbus.csv")
save(pairs(COL.nb), "columbus_neighbors.csv")
save(data.frame(region = seq_len(nrow(nc.sids)), SID74 = nc.sids$SID74, BIR74 = nc.sids$BIR74), "carolina.csv")
save(pairs(ncCR85.nb), "carolina_neighbors.csv")

row <- nb2listw(COL.nb, style = "W")
binary <- nb2listw(COL.nb, style = "B")
star <- nb2listw(include.self(COL.nb), style = "B")
rows <- list()
keep <- function(test, quantity, value) rows[[length(rows) + 1]] <<- data.frame(test, quantity, value = number(as.numeric(value)))
triple <- function(test, result) {
  keep(test, c("statistic", "expected", "variance"), result$estimate)
  keep(test, "z", result$statistic)
  keep(test, "p_value", result$p.value)
}

triple("moran randomization", moran.test(crime, row, alternative = "two.sided"))
triple("moran normal", moran.test(crime, row, randomisation = FALSE, alternative = "two.sided"))
triple("geary randomization", geary.test(crime, row, alternative = "two.sided"))
triple("geary normal", geary.test(crime, row, randomisation = FALSE, alternative = "two.sided"))
triple("global_g", globalG.test(crime, binary, alternative = "two.sided"))
high <- factor(crime > 35, labels = c("low", "high"))
joins <- joincount.multi(high, binary)
for (name in c("high:high", "low:low", "high:low")) {
  keep(paste("joins", name), c("statistic", "expected", "variance", "z"), joins[name, ])
}

fits <- list(constant = lm(crime ~ 1), regression = lm(crime ~ inc + hoval))
for (name in names(fits)) {
  for (side in c("two.sided", "greater", "less")) {
    exact <- lm.morantest.exact(fits[[name]], row, alternative = side)
    saddle <- lm.morantest.sad(fits[[name]], row, alternative = side, tol = 1e-14)
    keep(paste(name, "exact", side), c("statistic", "z", "p_value"), c(exact$estimate, exact$statistic, exact$p.value))
    keep(paste(name, "saddlepoint", side), c("statistic", "z", "p_value"), c(saddle$estimate, saddle$statistic, saddle$p.value))
  }
  triple(paste(name, "normal"), lm.morantest(fits[[name]], row, alternative = "two.sided"))
}

carolina <- nb2listw(ncCR85.nb, style = "W")
set.seed(1)
rate <- suppressMessages(EBImoran.mc(nc.sids$SID74, nc.sids$BIR74, carolina, nsim = 9))
keep("rates", "statistic", rate$statistic)
keep("bivariate CRIME INC", "statistic", suppressWarnings(moran_bv(crime, inc, row, nsim = 9)$t0))
keep("bivariate INC CRIME", "statistic", suppressWarnings(moran_bv(inc, crime, row, nsim = 9)$t0))
save(do.call(rbind, rows), "global.csv")

gi <- attr(localG(crime, binary, return_internals = TRUE), "internals")
gi_star <- attr(localG(crime, star, return_internals = TRUE), "internals")
save(data.frame(
  region,
  moran = number(localmoran(crime, row)[, "Ii"]),
  geary = number(localC(crime, row)),
  geary_three = number(localC(cbind(crime, inc, hoval), row)),
  g = number(gi[, 1]), g_z = number(gi[, 4]),
  g_star = number(gi_star[, 1]), g_star_z = number(gi_star[, 4]),
  joins = number(local_joincount_uni(high, chosen = "high", binary, nsim = 9)[[1]]),
  bivariate = number(localmoran_bv(crime, inc, row, nsim = 9)[, 1])
), "local.csv")
